"""Measurements of hopspan beside other libraries: `python -m bench --help`."""
