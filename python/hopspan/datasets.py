"""Vectors in the files that the field exchanges, mapped where the format allows.

=========================  ==========================================================================================
.npy                       NumPy's: a matrix of numbers
.fbin .u8bin .i8bin        big-ann-benchmarks': uint32 rows, uint32 dim, rows of float32, uint8 or int8, little-endian
.hdf5 .h5                  ann-benchmarks': train, test, neighbors, distances, attribute "distance"; needs h5py
=========================  ==========================================================================================

A file whose size is not what its header says is refused, with both numbers.
"""

from __future__ import annotations

import math
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    AnyArray = NDArray[Any]

_BIG_ANN_DTYPES = {".fbin": "<f4", ".u8bin": "u1", ".i8bin": "i1"}
HDF5_SUFFIXES = (".hdf5", ".h5")
_ANN_BENCHMARKS_METRICS = {"euclidean": "l2", "angular": "cosine", "ip": "ip", "hamming": "hamming"}

SUFFIXES = (".npy", *_BIG_ANN_DTYPES, *HDF5_SUFFIXES)


class Truth(NamedTuple):
    """The exact neighbours of queries among `rows` vectors, nearest first, (queries, depth) each."""

    ids: AnyArray
    distances: AnyArray | None
    rows: int

    @property
    def depth(self) -> int:
        """How many neighbours of a query are known."""
        return int(self.ids.shape[1])

    def recall(self, found: NDArray[np.int64]) -> float:
        """Return the share of the true k nearest in (queries, k) ids; one as far as the k-th nearest counts as well."""
        k = found.shape[1]
        hits = 0
        for query, ids in enumerate(found):
            right = k
            if self.distances is not None:
                right = int(np.count_nonzero(self.distances[query] <= self.distances[query, k - 1]))
            hits += int(np.isin(ids, self.ids[query, :right]).sum())
        return hits / found.size


class Dataset(NamedTuple):
    """What a file holds: (n, dim) vectors and, where it says so, the metric and the queries' true neighbours."""

    vectors: AnyArray
    metric: str | None = None
    truth: Truth | None = None


def read_base(path: Path) -> Dataset:
    """Read the vectors to build an index of; of an ann-benchmarks file its "train" part."""
    return _read(path, "train")


def read_queries(path: Path) -> Dataset:
    """Read the vectors to search for; of an ann-benchmarks file its "test" part, with the true neighbours."""
    return _read(path, "test")


def _read(path: Path, part: str) -> Dataset:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} has the suffix {suffix!r}; known are {', '.join(SUFFIXES)}")
    with path.open("rb") as file:
        if suffix == ".npy":
            dataset = Dataset(_map_npy(path, file))
        elif suffix in _BIG_ANN_DTYPES:
            dataset = Dataset(_map_big_ann(path, file, np.dtype(_BIG_ANN_DTYPES[suffix])))
        else:
            dataset = _read_hdf5(path, part)
    return dataset


def _map_npy(path: Path, file: BinaryIO) -> AnyArray:
    try:
        version = np.lib.format.read_magic(file)
        if version > (2, 0):
            raise ValueError("it holds records, not numbers")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran_order, dtype = read_header(file)
    except Exception as error:  # the header is a Python expression, and parsing one fails in many ways
        raise ValueError(f"{path} is not a .npy file of numbers: {error}") from error
    if dtype.kind not in "fiub":
        raise ValueError(f"{path} holds {dtype}, not real numbers")
    if len(shape) != 2:
        raise ValueError(f"{path} has shape {shape}; vectors are (n, dim)")
    return _map(path, file, dtype, shape, "F" if fortran_order else "C")


def _map_big_ann(path: Path, file: BinaryIO, dtype: np.dtype[Any]) -> AnyArray:
    header = file.read(8)
    if len(header) < 8:
        raise ValueError(f"{path} has {len(header)} bytes; its header alone takes 8")
    return _map(path, file, dtype, struct.unpack("<II", header), "C")


def _map(path: Path, file: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, ...], order: Any) -> AnyArray:
    """Map what follows the header that has just been read from `file`."""
    start = file.tell()
    actual = file.seek(0, 2)
    if min(shape) < 1:
        raise ValueError(f"{path} has shape {shape}; there is nothing in it")
    expected = start + math.prod(shape) * dtype.itemsize
    if actual != expected:
        rows, dim = shape
        raise ValueError(
            f"{path} has {actual:,} bytes; its header says {rows:,} x {dim:,} {dtype.name}, which takes {expected:,}"
        )
    return np.memmap(path, dtype, "r", start, shape, order)


@contextmanager
def open_hdf5(path: Path, part: str) -> Iterator[tuple[Any, str | None]]:
    """Open a part of an ann-benchmarks file as h5py's data set, to be read a piece at a time, and its metric."""
    h5py = _import_h5py(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path} is not a whole HDF5 file: {error}") from error
    with file:
        yield _data(path, file, part), _metric(path, file.attrs.get("distance"))


def _import_h5py(path: Path) -> Any:
    try:
        import h5py  # noqa: PLC0415  an optional extra
    except ImportError as error:
        raise ValueError(f"{path} needs h5py, which is not installed: pip install 'hopspan[hdf5]'") from error
    return h5py


def _read_hdf5(path: Path, part: str) -> Dataset:
    h5py = _import_h5py(path)
    try:
        with h5py.File(path, "r") as file:
            metric = _metric(path, file.attrs.get("distance"))
            vectors = _matrix(path, file, part)
            truth = _truth(path, file, len(vectors)) if part == "test" and "neighbors" in file else None
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} is not a whole HDF5 file: {error}") from error
    return Dataset(vectors, metric, truth)


def _metric(path: Path, distance: object) -> str | None:
    if distance is None:
        return None
    name = distance.decode(errors="replace") if isinstance(distance, bytes) else str(distance)
    if name not in _ANN_BENCHMARKS_METRICS:
        raise ValueError(f"{path} is for the distance {name!r}; known are {', '.join(_ANN_BENCHMARKS_METRICS)}")
    return _ANN_BENCHMARKS_METRICS[name]


def _matrix(path: Path, file: Any, name: str) -> AnyArray:
    return np.asarray(_data(path, file, name)[:])


def _data(path: Path, file: Any, name: str) -> Any:
    data = file.get(name)
    shape = getattr(data, "shape", None)
    if shape is None:
        raise ValueError(f"{path} has no array {name!r}; it has {', '.join(sorted(file)) or 'nothing'}")
    if len(shape) != 2 or min(shape) < 1 or data.dtype.kind not in "fiub":
        raise ValueError(f"{path}: {name!r} is {data.dtype} of shape {shape}; it must be (n, dim) real numbers")
    return data


def _truth(path: Path, file: Any, queries: int) -> Truth:
    ids = _matrix(path, file, "neighbors")
    distances = _matrix(path, file, "distances") if "distances" in file else None
    if len(ids) != queries or (distances is not None and distances.shape != ids.shape):
        shapes = f"neighbors {ids.shape}" + ("" if distances is None else f", distances {distances.shape}")
        raise ValueError(f"{path} has {queries:,} queries, but {shapes}")
    return Truth(ids, distances, len(file["train"]) if "train" in file else 0)
