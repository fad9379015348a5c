"""The demo: a search engine for the documentation of Python's standard library, with NumPy and hopspan alone."""
