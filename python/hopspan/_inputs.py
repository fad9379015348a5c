"""Vectors and ids as callers have them, as the contiguous arrays that the extension reads; or the reason why not."""

from __future__ import annotations

import operator
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    AnyArray = NDArray[Any]

_INT64_MAX = 2**63 - 1


def to_matrix(value: object, dim: int, dtype: str, name: str) -> AnyArray:
    """Return `value` as C-contiguous rows, or one row, of float32 or of what an index of `dtype` stores.

    `name` is the argument's, for messages.
    """
    array = _as_array(value, name)
    if array.shape == (0,):
        array = np.empty((0, dim), bool if dtype == "binary" else np.float32)
    _check_element_type(array.dtype, dtype, name)
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} have shape {array.shape}; they must be (n, {dim}) or ({dim},)")
    if dtype == "binary":
        return _to_bits(array, dim, name)
    if array.shape[-1] != dim:
        raise ValueError(f"{name} have {array.shape[-1]} dimensions; the index has {dim}")
    return np.ascontiguousarray(_to_elements(array, dtype))


def to_ids(value: object) -> NDArray[np.int64]:
    """Return `value` as int64. Which ids are acceptable is for the index to say."""
    array = np.asarray(value)
    if array.dtype.kind == "f" and not hasattr(value, "dtype"):
        array = np.asarray(value, object)  # NumPy makes float64 of a list with an int that is beyond int64
    if array.ndim > 1:
        raise ValueError(f"ids have shape {array.shape}; they must be (n,)")
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.dtype.kind == "O":
        for position, item in enumerate(array.flat):
            if isinstance(item, bool) or not isinstance(item, int | np.integer):
                raise TypeError(f"ids must be integers; the one at position {position} is {item!r}")
    elif array.dtype.kind not in "iu":
        raise TypeError(f"ids must be integers, not {array.dtype}")
    for bound in (array.min(), array.max()):
        if not -_INT64_MAX <= bound <= _INT64_MAX:
            raise ValueError(f"id {bound} is outside int64")
    return array.astype(np.int64, order="C", copy=False)


def to_path(value: str | bytes | os.PathLike[str]) -> str:
    """Return a path that the file system can have."""
    path = os.fsdecode(value)
    if "\0" in path:
        raise ValueError(f"path {path!r} has a null character")
    return path


def is_id(value: object) -> bool:
    """Whether an integer is in the range that ids have; a TypeError for anything but an integer."""
    return 0 <= operator.index(value) <= _INT64_MAX  # type: ignore[arg-type]


def from_bfloat16(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Widen bfloat16, which is the upper half of float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _as_array(value: object, name: str) -> AnyArray:
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is not None and isinstance(value, pyarrow.Array | pyarrow.ChunkedArray):
        return _from_arrow(value, pyarrow, name)
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return np.from_dlpack(value)
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray and np.ma.is_masked(value):
        raise ValueError(f"{name} have masked elements; fill or drop them first")
    return np.asarray(value)


def _from_arrow(value: Any, pyarrow: Any, name: str) -> AnyArray:
    if not pyarrow.types.is_fixed_size_list(value.type):
        raise TypeError(f"{name} are a pyarrow array of {value.type}; it must be of fixed-size lists of numbers")
    if isinstance(value, pyarrow.ChunkedArray):
        value = value.combine_chunks()
    elements = value.flatten()
    if value.null_count or elements.null_count:
        raise ValueError(f"{name} have {value.null_count or elements.null_count} nulls; fill or drop them first")
    numbers: AnyArray = elements.to_numpy(zero_copy_only=False)
    return numbers.reshape(len(value), value.type.list_size)


def _check_element_type(given: np.dtype[Any], stored: str, name: str) -> None:
    if stored == "binary":
        if given not in (np.bool_, np.uint8):
            raise TypeError(f"{name} are {given}; a binary index takes bool or packed uint8")
    elif given.kind not in "fiu" and given.name != "bfloat16":
        raise TypeError(f"{name} are {given}; they must be real numbers")


def _to_bits(array: AnyArray, dim: int, name: str) -> AnyArray:
    """Return packed bits, first bit highest."""
    if array.dtype.kind == "b":
        if array.shape[-1] != dim:
            raise ValueError(f"{name} have {array.shape[-1]} bits; the index has {dim}")
        return np.packbits(array, axis=-1)
    if array.shape[-1] != (dim + 7) // 8:
        raise ValueError(f"{name} have {array.shape[-1]} bytes; {dim} packed bits take {(dim + 7) // 8}")
    return np.ascontiguousarray(array)


def _to_elements(array: AnyArray, dtype: str) -> AnyArray:
    given = array.dtype.name
    if given == dtype == "bfloat16":
        return array.astype(array.dtype.newbyteorder("="), copy=False).view(np.uint16)
    if given == dtype:
        return array.astype(dtype, copy=False)
    if dtype in ("int8", "uint8"):
        return _to_bytes(array, dtype)
    return _to_float32(array)


def _to_bytes(array: AnyArray, dtype: str) -> AnyArray:
    limits = np.iinfo(dtype)
    with np.errstate(invalid="ignore"):
        fits = (array >= limits.min) & (array <= limits.max) & (array == np.rint(array))
    _refuse_first(~fits, array, f"not an integer in {limits.min}..{limits.max}, the range of {dtype}")
    return array.astype(dtype)


def _to_float32(array: AnyArray) -> AnyArray:
    """Round to the nearest float32, integers too: below 2**24 they are exact."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = array.astype(np.float32, copy=False)
    if array.dtype.itemsize > rounded.dtype.itemsize:
        _refuse_first(np.isinf(rounded) & np.isfinite(array), array, "beyond the range of float32")
    return rounded


def _refuse_first(bad: NDArray[np.bool_], array: AnyArray, problem: str) -> None:
    if bad.any():
        row, column = divmod(int(bad.argmax()), bad.shape[-1])
        raise ValueError(f"row {row}, column {column}: {array[..., column].flat[row]} is {problem}")
