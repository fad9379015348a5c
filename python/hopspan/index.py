"""The index as Python sees it."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np

from hopspan import _core, _inputs

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Literal, Protocol, Self

    from numpy.typing import ArrayLike, NDArray

    from hopspan.options import Options

    class SupportsDLPack(Protocol):  # noqa: D101
        def __dlpack__(self) -> Any: ...

    Vectors = ArrayLike | SupportsDLPack
    Path = str | bytes | os.PathLike[str]
    Metric = Literal["l2", "ip", "cosine", "hamming"]
    Kind = Literal["hnsw", "spann", "flat"]
    DType = Literal["float32", "float16", "bfloat16", "int8", "uint8", "binary"]


class Neighbors(NamedTuple):
    """Results of a search, nearest first and ties by id: (n, k) arrays, or (k,) for a single query.

    Where there are fewer than k results, the rest has id -1 and distance infinity.
    """

    ids: NDArray[np.int64]
    distances: NDArray[np.float32]


class CheckReport(NamedTuple):
    """What `Index.check` counted."""

    vectors: int
    links: int
    reachable: int


class _TuneRow(NamedTuple):
    recall: float
    effort: int
    qps: float


class TunePoint(_TuneRow):
    """One row of the table that `Index.tune` returns: (recall, effort, qps), and what the recall lacks.

    Attributes
    ----------
    recall, effort, qps
        At this effort (ef or nprobe), that recall and queries per second.
    graph_loss
        Of kind "hnsw": what is lost by the graph, because a walk of the vectors themselves would not find it either.
        More effort finds some of it, and so do more links, ``M`` and ``ef_construction``.
    code_loss
        Of kind "hnsw": what is lost because codes stand for the vectors. Finer ones find it, ``codes="sq8"`` or
        ``codes="none"``.
    """

    graph_loss: float
    code_loss: float

    def __new__(cls, recall: float, effort: int, qps: float, graph_loss: float = 0.0, code_loss: float = 0.0) -> Self:
        """Make a row; a loss that nobody measured is 0."""
        point = super().__new__(cls, recall, effort, qps)
        point.graph_loss, point.code_loss = graph_loss, code_loss
        return point


class Index:
    """Vectors under int64 ids, searched by distance.

    Parameters
    ----------
    dim
        Elements of a vector (bits, for binary vectors): 1 to 65536.
    metric
        "l2": squared Euclidean distance; "ip": 1 - <q, x>; "cosine": 1 - cos(q, x); "hamming": differing bits, for
        binary vectors only. Smaller is always closer.
    kind
        "hnsw": a hierarchical navigable small world graph in memory (Malkov & Yashunin, arXiv 1603.09320);
        "spann": balanced lists of 4-bit codes (SPANN, Chen et al., NeurIPS 2021), in memory here and on disk by
        `build`, not for binary vectors; "flat": every search compares all vectors and is exact.
    dtype
        What is stored: "float32", "float16", "bfloat16", "int8", "uint8" or "binary". Float32 vectors that are whole
        numbers from 0 to 255 take a byte for each dimension until another one is added; they come back as float32.
    seed
        From 0 to 2**64 - 1. The same vectors, options and seed give the same index, whatever the number of threads.
    threads
        How many threads `add`, `search` and `tune` use at most; all processors of this process unless given.
    **options
        For kind "hnsw": ``profile``, ``M``, ``ef_construction``, ``extend_candidates``, ``keep_pruned_connections``,
        ``codes``, ``vectors``;
        for kind "spann": ``list_bytes``, ``replicas``, ``closure``, ``closure_ratio``, ``closure_heads``,
        ``data_heads`` (`Options`).

    Raises
    ------
    ValueError
        A value is out of range, or metric and dtype do not go together.
    TypeError
        An argument of the wrong type, or an option that the kind does not have.

    Notes
    -----
    Any number of threads may use an index at once: searches run beside each other and, of kind "hnsw", beside a call
    that changes the index. Every call that does work releases the GIL. A call that fails or that Ctrl-C ends leaves the
    index as it was.

    Vectors may be anything with ``__array__``, the buffer protocol or DLPack, a pyarrow FixedSizeListArray, or lists
    of numbers. C-contiguous float32 arrays, and those of the stored dtype, are read in place. Other real numbers are
    rounded to float32 first; what an integer index stores must be integers in range. Binary vectors are bool arrays
    (n, dim) or uint8 arrays (n, ceil(dim / 8)) as `numpy.packbits` makes them.
    """

    __slots__ = ("__weakref__", "_core", "_threads")

    def __init__(
        self,
        dim: int,
        metric: Metric = "l2",
        *,
        kind: Kind = "hnsw",
        dtype: DType = "float32",
        seed: int = 0,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._core = _core.Index(dim, metric, kind, dtype, seed, options)
        if threads is not None and operator.index(threads) < 1:
            raise ValueError(f"threads must be at least 1, not {threads}")
        self._threads = threads

    def add(
        self,
        vectors: Vectors,
        ids: ArrayLike | None = None,
        *,
        progress: Callable[[int, int], object] | None = None,
    ) -> NDArray[np.int64]:
        """Add vectors, all of them or, when it raises, none. A vector whose id is known replaces the one there.

        Parameters
        ----------
        vectors
            (n, dim), or (dim,) for one.
        ids
            (n,) distinct integers from 0 to 2**63 - 1; unless given, the next ones above every id that there has ever
            been.
        progress
            Called as ``progress(done, total)``, at most 20 times a second; an exception from it ends the call. It must
            not use the index itself.

        Returns
        -------
        ndarray
            (n,) int64, the ids of the vectors.

        Raises
        ------
        ValueError
            A shape that does not fit, an element that is NaN, infinite or out of the stored dtype's range, a zero
            vector under cosine; an id that is negative or given twice.
        TypeError
            Vectors that are not real numbers, or ids that are not integers.
        """
        return self._core.add(vectors, None if ids is None else _inputs.to_ids(ids), progress, self._threads)

    def remove(self, ids: ArrayLike) -> int:
        """Remove vectors by their (n,) ids, or one by its id, and return how many there were.

        Unknown ids do not count, and an id given twice counts once. No later search returns them, also while their
        places in the graph and in memory wait to be used again (`stats`). When it raises, nothing is removed: a
        ValueError for a negative id, a TypeError for ids that are not integers.
        """
        return self._core.remove(_inputs.to_ids(ids).reshape(-1), self._threads)

    def search(
        self,
        queries: Vectors,
        k: int = 10,
        *,
        recall: float | None = None,
        ef: int | None = None,
        nprobe: int | None = None,
        threads: int | None = None,
    ) -> Neighbors:
        """Find the k nearest vectors of each query (Alg. 5 of the paper).

        Parameters
        ----------
        queries
            (n, dim), or (dim,) for one.
        k
            Results for each query, at least 1.
        recall
            The share of the true k nearest to aim at, between 0 and 1, by the calibration of `tune`; 0.95 unless
            `ef` is given. A flat index is exact and ignores it.
        ef
            The nodes of the graph to expand, at least k, in place of `recall`: roughly, in the mean of many queries,
            and up to four times as many for one whose neighbours do not stand out. Exactly, the width of the beam,
            under ip and in an index of less than 1,000 vectors. As many as the index has: all of them.
        nprobe
            The lists to search, of kind "spann", in place of `recall`.
        threads
            In place of the index's own.

        Returns
        -------
        Neighbors
            ids (n, k) int64 and distances (n, k) float32; (k,) each for a single query.

        Raises
        ------
        ValueError
            A shape that does not fit, a query with NaN or infinity, a zero query under cosine, a value out of range,
            or more than one of `recall`, `ef` and `nprobe`.
        TypeError
            Queries that are not real numbers.
        """
        found = self._core.search(queries, k, recall, ef, nprobe, self._threads if threads is None else threads)
        return tuple.__new__(Neighbors, found)

    def get(self, ids: ArrayLike) -> NDArray[Any]:
        """Return the stored vectors of (n,) ids as (n, dim), or of one id as (dim,).

        The dtype is the stored one; bfloat16 comes widened to float32, and binary as (n, ceil(dim / 8)) packed uint8.
        An unknown id is a ValueError.
        """
        numbers = _inputs.to_ids(ids)
        rows = self._core.get(numbers.reshape(-1))
        if self.dtype == "bfloat16":
            rows = _inputs.from_bfloat16(rows)
        return rows[0] if numbers.ndim == 0 else rows

    def __contains__(self, item: object) -> bool:
        """Whether the index has a vector of this id."""
        return _inputs.is_id(item) and item in self._core

    def __len__(self) -> int:
        """Return the number of vectors, without waiting for a call that is adding more."""
        return len(self._core)

    @property
    def dim(self) -> int:
        """Elements of a vector; bits, for binary vectors."""
        return self._core.dim

    @property
    def metric(self) -> str:
        """The name of the distance."""
        return self._core.metric

    @property
    def kind(self) -> str:
        """What the index is made of: "hnsw", "spann" or "flat"."""
        return self._core.kind

    @property
    def dtype(self) -> str:
        """The stored element type."""
        return self._core.dtype

    def stats(self) -> dict[str, Any]:
        """Return figures of the index.

        size
            vectors
        removed
            places of removed vectors that wait to be used again; they are part of `bytes`
        pending
            vectors of an index in a folder that the graph does not hold yet; a search compares each of them
        bytes
            of each part, in memory or mapped; "vectors_on_disk" are neither (``vectors="disk"``)
        mapped
            whether parts are pages of a file
        level_sizes, mean_degree, max_degree
            of kind "hnsw": nodes on each level of the graph, from level 0 up, and links of a node on level 0
        list_sizes
            of lists: how many entries each has; their sum over `size` is how many copies there are of a vector
        reads
            of an index on disk: what all searches since it was opened took, searches, lists, vectors compared again,
            list_pages, pages, bytes, round_trips, waiting_us and computing_us, and the backend that reads
        codes
            of kind "hnsw": what the graph is walked on, "none", "sq8" or "sq4"
        walks
            of kind "hnsw": what all searches have done since the index was made or loaded: searches; expansions, nodes
            whose links were followed; distances, on codes where there are any; ranked, vectors compared once more by
            themselves; and the lines of 64 bytes that these are made of
        """
        return self._core.stats()

    def check(self, deep: bool = True) -> CheckReport:
        """Verify the index, and with `deep` that every vector can be reached; else raise CorruptIndexError."""
        return CheckReport(*self._core.check(deep))

    def tune(self, queries: Vectors | None = None, *, k: int = 10) -> list[TunePoint]:
        """Measure recall and speed over a range of efforts, and keep the calibration that ``search(recall=)`` uses.

        `queries`, (n, dim), should be like those to come; stored vectors stand in unless given.
        """
        return [TunePoint(*point) for point in self._core.tune(queries, k, self._threads)]

    def save(self, path: Path) -> None:
        """Write the index to a file, atomically: whatever fails, `path` is what it was, and an OSError says why."""
        self._core.save(_inputs.to_path(path))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by value; with protocol 5, out of band where the pickler asks for it."""
        return self._from_bytes, (self._core.to_bytes(), self._threads)

    @classmethod
    def _from_bytes(cls, saved: NDArray[np.uint8], threads: int | None) -> Self:
        return cls._from_core(_core.Index.from_bytes(saved), threads)

    @classmethod
    def _from_core(cls, core: _core.Index, threads: int | None = None) -> Self:
        index = cls.__new__(cls)
        index._core = core
        index._threads = threads
        return index

    def __repr__(self) -> str:
        return (
            f"<hopspan.Index: {len(self):,} vectors, dim={self.dim}, metric={self.metric!r}, "
            f"kind={self.kind!r}, dtype={self.dtype!r}>"
        )


def load(path: Path, *, mmap: bool = True, verify: bool = True, cache: int = 0) -> Index:
    """Open a file that `Index.save` or `build` wrote.

    An index that `build` made stays on disk: its searches read the lists and vectors that they need, and check them.

    Parameters
    ----------
    path
        The file.
    mmap
        Use the file's pages, which processes share and which are read when needed, in place of a copy in memory.
        The file must stay as it is meanwhile; saving to the same path is safe, because a save makes a new file.
    verify
        Check every checksum and every link first. Without it only the header and the section table are checked. Of an
        index on disk, what stays in memory is checked in any case, and its pages whenever they are read.
    cache
        How many bytes of pages an index on disk keeps in memory.

    Raises
    ------
    CorruptIndexError
        The file is damaged, cut off, or not a hopspan index.
    VersionError
        The file is of a newer version.
    OSError
        The file cannot be read.
    """
    return Index._from_core(_core.Index.load(_inputs.to_path(path), mmap, verify, cache))
