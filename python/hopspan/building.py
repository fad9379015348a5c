"""Building an index on disk of vectors that need not fit into memory."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from hopspan import _core, _inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path as FilePath

    from numpy.typing import NDArray

    from hopspan.index import DType, Metric, Path

    AnyArray = NDArray[Any]

_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_BATCH_BYTES = 4 * 2**20


class _Spill(NamedTuple):
    """Where batches may be written, and what takes them away."""

    folder: FilePath
    stack: ExitStack


class _Rows(NamedTuple):
    """Rows of a dtype that the extension reads, in a file from an offset on."""

    path: str
    offset: int
    rows: int
    dim: int
    dtype: str


def build(
    source: object,
    path: Path,
    *,
    metric: Metric | None = None,
    dtype: DType = "float32",
    kind: str = "spann",
    memory: int | str = "1GiB",
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[str, int, int], object] | None = None,
    **options: object,
) -> None:
    """Build an index on disk, of vectors under the ids 0, 1, 2, ..., to be opened by `load`.

    Parameters
    ----------
    source
        (n, dim) vectors as `Index.add` takes them; the path of a .npy, .fbin, .u8bin, .i8bin or .hdf5 file; or an
        iterable of (m, dim) batches, which go to a temporary file beside `path` first.
    path
        The file to make. Nothing is there until it is whole. Files called like it with ".build-" behind it hold what
        has been done so far: after a kill, the same call goes on from there.
    metric
        As for `Index`; what an HDF5 file says, or else "l2", unless given.
    dtype
        What is stored, as for `Index`.
    kind
        "spann": lists of codes, and the vectors ordered by list, both in pages.
    memory
        What the build may take beyond the source itself: bytes, or a text like "256MiB"; the peak of the process stays
        under that and 64 MiB more. With more of it there are more lists, whose heads are learnt from a larger sample.
    seed, threads
        As for `Index`.
    progress
        Called as ``progress(phase, done, total)`` with the phases "check", "heads", "assign", "group", "write" and
        "calibrate"; an exception from it ends the build and takes away what it has written.
    **options
        As for ``Index(kind="spann")``.

    Raises
    ------
    ValueError
        A value is out of range, a vector cannot be stored, or `memory` is too little: the message has the least.
    OSError
        A file cannot be read or written.
    """
    if kind != "spann":
        raise ValueError(f"kind must be 'spann', not {kind!r}: an index of another kind is built in memory")
    how: dict[str, Any] = {
        "dtype": dtype,
        "seed": seed,
        "options": options,
        "memory": parse_size(memory),
        "threads": threads,
    }
    how["metric"] = metric
    _build(source, _inputs.to_path(path), how, progress)


def _build(
    source: object, target: str, how: dict[str, Any], progress: Callable[[str, int, int], object] | None
) -> None:
    from pathlib import Path as FilePath  # noqa: PLC0415  so that importing hopspan brings little

    with ExitStack() as stack:
        spill = _Spill(FilePath(target).parent, stack)
        rows, known_metric = _open(source, str(how["dtype"]), spill)
        how["metric"] = how["metric"] or known_metric or "l2"
        how["dim"] = rows.dim if isinstance(rows, _Rows) else rows.shape[1]
        if isinstance(rows, _Rows):
            _core.build_file(rows.path, rows.offset, rows.rows, rows.dtype, target, how, progress)
        else:
            _core.build_array(rows, _name(rows, str(how["dtype"])), target, how, progress)


def parse_size(value: int | str) -> int:
    """Return bytes: of an integer itself, of a text like "256MiB" or "1.5 GB" what it says."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", value)
    if found is None or found[2].upper() not in _UNITS:
        raise ValueError(f"memory must be bytes or a text like '256MiB', not {value!r}")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def _name(matrix: AnyArray, dtype: str) -> str:
    """Return the dtype of what `_inputs.to_matrix` returned."""
    return "float32" if matrix.dtype == np.float32 else dtype


def _open(source: object, dtype: str, spill: _Spill) -> tuple[_Rows | AnyArray, str | None]:
    if isinstance(source, str | bytes | os.PathLike):
        return _open_file(type(spill.folder)(os.fsdecode(source)), dtype, spill)
    if _is_batches(source):
        return _spill(source, dtype, spill), None  # type: ignore[arg-type]
    if isinstance(source, np.memmap) and (rows := _rows_of(source, dtype)) is not None:
        return rows, None
    return _inputs.to_matrix(source, _columns(source), dtype, "vectors"), None


def _is_batches(source: object) -> bool:
    whole = ("shape", "__array__", "__dlpack__", "__arrow_array__")
    return not isinstance(source, list | tuple) and not any(hasattr(source, name) for name in whole)


def _columns(array: object) -> int:
    shape = tuple(getattr(array, "shape", None) or np.shape(cast("Any", array)))
    if len(shape) != 2:
        raise ValueError(f"vectors have shape {shape}; they must be (n, dim)")
    return int(shape[1])


def _open_file(file: FilePath, dtype: str, spill: _Spill) -> tuple[_Rows, str | None]:
    from hopspan import datasets  # noqa: PLC0415  so that importing hopspan brings little

    if file.suffix.lower() in datasets.HDF5_SUFFIXES:
        with datasets.open_hdf5(file, "train") as (data, metric):
            offset = data.id.get_offset() if data.chunks is None else None
            if offset is not None and (name := _direct(data.dtype, dtype)) is not None:
                return _Rows(str(file), offset, data.shape[0], data.shape[1], name), metric
            return _spill(_slices(data), dtype, spill), metric
    vectors = datasets.read_base(file).vectors
    rows = _rows_of(vectors, dtype)
    return (rows if rows is not None else _spill(_slices(vectors), dtype, spill)), None


def _rows_of(array: AnyArray, dtype: str) -> _Rows | None:
    """Where the rows of a mapped file are, when they can be read as they are."""
    name = _direct(array.dtype, dtype)
    filename = getattr(array, "filename", None)
    if name is None or filename is None or array.ndim != 2 or not array.flags.c_contiguous:
        return None
    base: Any = array
    while isinstance(base.base, np.memmap):
        base = base.base
    if base.mode == "c":  # its changes are not in the file
        return None
    shift = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return _Rows(str(filename), base.offset + shift, array.shape[0], array.shape[1], name)


def _direct(given: np.dtype[Any], stored: str) -> str | None:
    return given.name if given.isnative and given.name in {"float32", stored} else None


def _slices(data: Any) -> Iterator[AnyArray]:
    step = max(1, _BATCH_BYTES // (data.shape[1] * data.dtype.itemsize))
    for first in range(0, data.shape[0], step):
        yield np.asarray(data[first : first + step])


def _spill(batches: Iterable[object], dtype: str, spill: _Spill) -> _Rows:
    """Write batches one after another, converted to float32 or to what is stored."""
    import tempfile  # noqa: PLC0415  so that importing hopspan brings little

    rows, dim, name = 0, None, None
    folder = spill.stack.enter_context(tempfile.TemporaryDirectory(dir=spill.folder, prefix=".hopspan-"))
    file = type(spill.folder)(folder) / "rows"
    with file.open("wb") as out:
        for batch in batches:
            dim = _columns(batch) if dim is None else dim
            matrix = _inputs.to_matrix(batch, dim, dtype, f"vectors from row {rows} on")
            given = _name(matrix, dtype)
            if name is not None and given != name:
                raise TypeError(f"vectors from row {rows} on are {given}, those before are {name}")
            name = given
            matrix.tofile(out)
            rows += len(matrix)
    if dim is None or name is None:
        raise ValueError("there are no vectors")
    return _Rows(str(file), 0, rows, dim, name)
