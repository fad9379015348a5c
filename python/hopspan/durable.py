"""An index that lives in a folder and keeps every change that it has acknowledged."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack

from hopspan import _core, _inputs
from hopspan.index import Index

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from hopspan.index import DType, Kind, Metric, Path
    from hopspan.options import Options

    Mode = Literal["r", "a"]


class Recovery(NamedTuple):
    """What opening a folder found."""

    generation: int
    """Of the manifest; grows whenever the folder's files change."""
    snapshot_vectors: int
    records: int
    """Calls that were read from the log and made again."""
    vectors: int
    """Vectors that these added."""
    dropped_bytes: int
    """At the end of the log, of calls that had not returned when the writer ended."""
    removed_files: int
    """That a crash had left over."""


class DurableIndex(Index):
    """An index in a folder; `hopspan.open` makes one.

    It is searched like any `Index`. In mode "a" each call that changes it is logged in the folder, by default on the
    device before the call returns, so that a crash loses nothing that was acknowledged. In mode "r" it is the state of
    the folder when it was opened, or when `refresh` was called last.

    Notes
    -----
    Changes are visible to searches of this object a moment before they are on the device. Any number of threads may
    change it at once; their calls share syncs. After an OSError from making a change durable, nobody can tell whether
    it is: the object refuses further changes, and the folder has to be opened again.

    A process that is forked cannot use its parent's index of mode "a". Pickling works in mode "r", by path.
    """

    __slots__ = ("_closed", "_mode", "_path")

    _core: _core.DurableIndex
    _path: str
    _mode: Mode
    _closed: bool

    def __init__(self) -> None:
        raise TypeError("a DurableIndex is made by hopspan.open")

    @property
    def path(self) -> str:
        """The folder."""
        return self._path

    @property
    def mode(self) -> Mode:
        """Either "r" or "a"."""
        return self._mode

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    @property
    def recovery(self) -> Recovery:
        """What opening the folder found, and in mode "r" what `refresh` has read since."""
        return Recovery(*self._core.recovery())

    def flush(self) -> None:
        """Return once all changes are on the device; of use with ``sync=False``."""
        self._core.flush()

    def compact(self) -> None:
        """Write a new snapshot and start an empty log, which happens by itself as the log grows.

        Searches go on meanwhile; changes wait.
        """
        self._core.compact()

    def refresh(self) -> bool:
        """In mode "r", take over what has been written since; return whether there was anything.

        Searches go on meanwhile, with the old state. In mode "a" there is never anything.
        """
        return self._core.refresh()

    def close(self) -> None:
        """Make all changes durable and give the folder free; a second call does nothing.

        An OSError or RuntimeError says that some change may be lost; the folder is free all the same.
        """
        self._closed = True
        self._core.close()

    def __enter__(self) -> Self:
        """Return the index; the end of the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the index."""
        self.close()

    def __len__(self) -> int:
        """Return the number of vectors, without waiting for a call that is adding more."""
        if self._closed:
            raise ValueError(f"{self._path}: the index is closed")
        return super().__len__()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by path, in mode "r"."""
        if self._mode != "r":
            raise TypeError("an index that is open for writing cannot be pickled; open its folder with mode 'r'")
        return open, (self._path, "r"), (None, {"_threads": self._threads})

    def __repr__(self) -> str:
        if self._closed:
            return f"<hopspan.DurableIndex {self._path!r}, closed>"
        return f"<hopspan.DurableIndex {self._path!r}, mode {self._mode!r}: {super().__repr__()[16:]}"


def open(  # noqa: A001  like gzip.open
    path: Path,
    mode: Mode = "r",
    *,
    sync: bool = True,
    dim: int | None = None,
    metric: Metric | None = None,
    kind: Kind | None = None,
    dtype: DType | None = None,
    seed: int | None = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> DurableIndex:
    """Open the index in a folder, or make one there.

    Parameters
    ----------
    path
        The folder. Mode "a" makes it, when it is missing or empty and `dim` is given.
    mode
        "r" to search; any number of processes at a time. "a" to change it as well; one at a time.
    sync
        Whether a call that changes the index returns only once the change is on the device. Without it a kill of the
        process loses nothing all the same, and a power cut at most the changes of the last second; `flush` and `close`
        make them durable.
    dim, metric, kind, dtype, seed, **options
        Of a new index, as for `Index`. For one that is there they may be given, and must be the same as its own.
    threads
        As for `Index`; also for making the changes of the log again.

    Raises
    ------
    FileNotFoundError
        There is no index, and no `dim` to make one with.
    LockedError
        The index is open for writing already; the message names the process.
    CorruptIndexError
        A file is damaged, or missing.
    VersionError
        A file is of a newer version.
    ValueError
        An option differs from the index's own, or is out of range, or the folder holds other files.
    OSError
        A file cannot be read or written.
    """
    if threads is not None and operator.index(threads) < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    about = {"dim": dim, "metric": metric, "kind": kind, "dtype": dtype, "seed": seed}
    given = {name: value for name, value in about.items() if value is not None}
    folder = _inputs.to_path(path)
    index = DurableIndex.__new__(DurableIndex)
    try:
        index._core = _core.DurableIndex(folder, mode, sync, threads, given, options)
    except FileNotFoundError as error:
        if mode == "a" and dim is None:
            error.add_note("there is no index to open; give dim= to make one")
        raise
    index._threads = threads
    index._path, index._mode, index._closed = folder, mode, False
    return index
