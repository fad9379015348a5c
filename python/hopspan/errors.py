"""The exceptions that are hopspan's own; every other failure is a builtin one."""


class Error(Exception):
    """Base of the exceptions that only hopspan raises."""


class CorruptIndexError(Error, ValueError):
    """Bytes that are not what a save wrote: damaged, cut off, or another program's."""


class VersionError(Error, ValueError):
    """A file of a format version or with a feature that this release does not know."""


class LockedError(Error, RuntimeError):
    """Another object has the folder open for writing."""
