"""The command line: ``python -m hopspan``. Nothing here is imported by ``import hopspan``."""
