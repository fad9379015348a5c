"""What may be given as vectors: dtype x layout x value, for add and for search, with the expected result of each."""

import array
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

import hopspan

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DIM = 6
REAL = ["float16", "float32", "float64", "longdouble", "bfloat16"] + [
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
]
# Elements that every one of the types holds exactly, so that a misread byte shows.
SMALL = np.array([[r * DIM + c + 1 for c in range(DIM)] for r in range(8)])
BITS = (np.arange(8)[:, None] * 11 + 5 >> np.arange(DIM)) % 2 == 1

ACCEPTED = {
    "float32": REAL,
    "float16": REAL,
    "bfloat16": REAL,
    "int8": REAL,
    "uint8": REAL,
    "binary": ["bool", "uint8"],
}
REFUSED = ["bool", "complex64", "complex128", "object", "str", "bytes", "datetime64[s]", "timedelta64[s]", "V4"]


class Subclass(np.ndarray):
    pass


class ArrayOnly:
    def __init__(self, held: NDArray) -> None:
        self.held = held

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return self.held


class DLPackOnly:
    def __init__(self, held: NDArray) -> None:
        self.held = held

    def __dlpack__(self, **options: Any) -> Any:
        return self.held.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[Any, int]:
        return self.held.__dlpack_device__()


def wide(x: NDArray) -> NDArray:
    """A base array with other numbers around and between those of x."""
    base = np.ones((2 * x.shape[0], 2 * x.shape[1]), x.dtype)
    base[::2, ::2] = x
    return base


def unaligned(x: NDArray) -> NDArray:
    room = np.zeros(x.nbytes + 1, np.uint8)
    view = room[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def read_only(x: NDArray) -> NDArray:
    x = x.copy()
    x.flags.writeable = False
    return x


def swapped(x: NDArray) -> NDArray:
    return x.astype(x.dtype.newbyteorder())


def arrow(x: NDArray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])


def arrow_slice(x: NDArray) -> pa.FixedSizeListArray:
    return arrow(np.vstack([np.zeros_like(x[:1]), x, x[:2]]))[1:-2]


def arrow_chunks(x: NDArray) -> pa.ChunkedArray:
    return pa.chunked_array([arrow(x[:3]), arrow(x[3:])])


LAYOUTS: dict[str, Callable[[NDArray], object]] = {
    "contiguous": lambda x: x.copy(),
    "fortran": np.asfortranarray,
    "every_second_row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "every_second_of_both": lambda x: wide(x)[::2, ::2],
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "transposed": lambda x: x.T.copy().T,
    "columns_of_a_wider_one": lambda x: np.hstack([x, x])[:, x.shape[1] :],
    "read_only": read_only,
    "byte_swapped": swapped,
    "byte_swapped_fortran": lambda x: np.asfortranarray(swapped(x)),
    "unaligned": unaligned,
    "subclass": lambda x: x.view(Subclass),
    "array_protocol": ArrayOnly,
    "dlpack": DLPackOnly,
    "memoryview": memoryview,
    "list_of_lists": lambda x: x.tolist(),
    "tuple_of_arrays": tuple,
    "arrow": arrow,
    "arrow_slice": arrow_slice,
    "arrow_chunks": arrow_chunks,
}
CANNOT_HOLD = {
    "longdouble": {"dlpack", "arrow", "arrow_slice", "arrow_chunks"},
    "bfloat16": {"dlpack", "memoryview", "arrow", "arrow_slice", "arrow_chunks"},
}
ROW_LAYOUTS = {
    "contiguous": lambda x: x.copy(),
    "every_second": lambda x: np.repeat(x, 2)[::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "byte_swapped": swapped,
    "read_only": read_only,
    "list": lambda x: x.tolist(),
    "array_protocol": ArrayOnly,
}


def cells(layouts: dict) -> list:
    return [
        pytest.param(stored, given, layout, id=f"{stored}-{given}-{layout}")
        for stored, types in ACCEPTED.items()
        for given in types
        for layout in layouts
        if layout not in CANNOT_HOLD.get(given, ())
    ]


def make_index(stored: str) -> hopspan.Index:
    return hopspan.Index(DIM, "hamming" if stored == "binary" else "l2", kind="flat", dtype=stored)


def typed(stored: str, given: str) -> NDArray:
    """SMALL, or for a binary index BITS, as elements of the given type."""
    if stored == "binary":
        return BITS if given == "bool" else np.packbits(BITS, axis=1)
    return SMALL.astype(BFLOAT16 if given == "bfloat16" else given)


def expected(stored: str) -> NDArray:
    return np.packbits(BITS, axis=1) if stored == "binary" else SMALL


@pytest.mark.parametrize(("stored", "given", "layout"), cells(LAYOUTS))
def test_layout(stored: str, given: str, layout: str) -> None:
    index = make_index(stored)
    value = LAYOUTS[layout](typed(stored, given))
    if (stored, given, layout) == ("binary", "uint8", "list_of_lists"):
        with pytest.raises(TypeError, match="int64"):  # a list of numbers has no dtype, so these are no packed bits
            index.add(value)
        return
    index.add(value)
    np.testing.assert_array_equal(index.get(range(len(SMALL))), expected(stored))
    ids, distances = index.search(value, 1)
    assert ids[:, 0].tolist() == list(range(len(SMALL)))
    assert (distances == 0).all()


@pytest.mark.parametrize(("stored", "given", "layout"), cells(ROW_LAYOUTS))
def test_layout_of_one_vector(stored: str, given: str, layout: str) -> None:
    index = make_index(stored)
    index.add(expected(stored))
    value = ROW_LAYOUTS[layout](typed(stored, given)[3])
    if (stored, given, layout) == ("binary", "uint8", "list"):
        with pytest.raises(TypeError, match="int64"):
            index.search(value, 1)
        return
    ids, distances = index.search(value, 1)
    assert (ids.tolist(), distances.tolist()) == ([3], [0])
    index.add(value, 100)
    np.testing.assert_array_equal(index.get(100), expected(stored)[3])


@pytest.mark.parametrize("given", [*REFUSED, "int8", "float32"])
@pytest.mark.parametrize("stored", ACCEPTED)
def test_refused_type(stored: str, given: str) -> None:
    if given in ACCEPTED[stored] or (stored != "binary" and given in REAL):
        return
    index = make_index(stored)
    index.add(expected(stored))
    value = np.zeros((2, DIM), given)
    for call in (index.add, index.search):
        with pytest.raises(TypeError, match=str(value.dtype).replace("[", r"\[")):
            call(value)
    assert len(index) == len(SMALL)


NAN, INF = float("nan"), float("inf")
EXTREMES = [
    # stored, given, element, what is kept of it or the error's words
    ("float32", "float64", 0.1, np.float32(0.1)),
    ("float32", "float64", -3.4e38, np.float32(-3.4e38)),
    ("float32", "float64", 3.5e38, r"row 1, column 5: 3.5e\+38 is beyond the range of float32"),
    ("float32", "longdouble", np.longdouble("1e60"), "row 1, column 5: 1e\\+60 is beyond the range of float32"),
    ("float32", "float64", 1e-300, 0),
    ("float32", "float32", np.float32(1e-45), np.float32(1e-45)),
    ("float32", "float16", np.float16(6e-8), np.float32(np.float16(6e-8))),
    ("float32", "float16", np.float16(65504), 65504),
    ("float32", "bfloat16", BFLOAT16.type(3e38), np.float32(BFLOAT16.type(3e38))),
    ("float32", "int64", 2**24 + 1, 2**24),
    ("float32", "int64", -(2**63), -(2.0**63)),
    ("float32", "uint64", 2**64 - 1, 2.0**64),
    ("float16", "float16", np.float16(6e-8), np.float16(6e-8)),
    ("float16", "float32", np.float32(0.1), np.float16(0.1)),
    ("float16", "float32", np.float32(65519), 65504),
    ("float16", "float32", np.float32(65520), "row 1[, ]"),
    ("float16", "float64", 1e300, "row 1, column 5: 1e\\+300"),
    ("float16", "int32", 70000, "row 1[, ]"),
    ("float16", "int32", 2049, 2048),
    ("float16", "float32", np.float32(1e-9), 0),
    ("bfloat16", "bfloat16", BFLOAT16.type(1e-40), np.float32(BFLOAT16.type(1e-40))),
    ("bfloat16", "float32", np.float32(1.0039062), np.float32(1.0)),
    ("bfloat16", "float32", np.float32(1.0039064), np.float32(1.0078125)),
    ("bfloat16", "float32", np.float32(3.4e38), "row 1[, ]"),
    ("bfloat16", "float16", np.float16(0.333), np.float32(BFLOAT16.type(np.float16(0.333)))),
    ("int8", "float32", np.float32(-128), -128),
    ("int8", "float32", np.float32(127), 127),
    ("int8", "float32", np.float32(128), "row 1[, ]"),
    ("int8", "float32", np.float32(1.5), "row 1[, ]"),
    ("int8", "float64", 1 + 1e-12, "row 1, column 5: 1.000000000001 is not an integer in -128..127, the range of int8"),
    ("int8", "float64", -129.0, "row 1, column 5: -129.0"),
    ("int8", "int64", -128, -128),
    ("int8", "int64", 128, "row 1, column 5: 128 is not an integer in -128..127, the range of int8"),
    ("int8", "uint8", 128, "row 1, column 5: 128"),
    ("int8", "uint64", 2**64 - 1, "row 1, column 5: 18446744073709551615"),
    ("int8", "bfloat16", BFLOAT16.type(-5), -5),
    ("int8", "float64", NAN, "row 1, column 5: nan"),
    ("uint8", "float64", 255.0, 255),
    ("uint8", "float32", np.float32(-0.0), 0),
    ("uint8", "float32", np.float32(256), "row 1[, ]"),
    ("uint8", "int8", -1, "row 1, column 5: -1 is not an integer in 0..255, the range of uint8"),
    ("uint8", "int16", 256, "row 1, column 5: 256"),
    ("uint8", "float32", np.float32(NAN), "row 1[, ]"),
    ("uint8", "float64", INF, "row 1, column 5: inf"),
    *(
        (stored, "float32", np.float32(bad), "row 1[, ]")
        for stored in [*REAL[:2], "bfloat16"]
        for bad in (NAN, INF, -INF)
    ),
    *((stored, "float64", bad, "row 1[, ]") for stored in [*REAL[:2], "bfloat16"] for bad in (NAN, INF, -INF)),
    ("float16", "float16", np.float16(NAN), "row 1[, ]"),
    ("float16", "float16", np.float16(-INF), "row 1[, ]"),
    ("bfloat16", "bfloat16", BFLOAT16.type(NAN), "row 1[, ]"),
    ("bfloat16", "bfloat16", BFLOAT16.type(INF), "row 1[, ]"),
    ("binary", "uint8", 0b10101101, r"row 1[, ]"),  # the last two bits are beyond the six
]


@pytest.mark.parametrize("call", ["add", "search"])
@pytest.mark.parametrize(("stored", "given", "element", "kept"), EXTREMES)
def test_element(stored: str, given: str, element: Any, kept: Any, call: str) -> None:
    index = make_index(stored)
    shape = (3, 1) if stored == "binary" else (3, DIM)
    value = np.zeros(shape, BFLOAT16 if given == "bfloat16" else given)
    value[1, -1] = element
    if isinstance(kept, str):
        with pytest.raises(ValueError, match=kept):
            getattr(index, call)(value)
        assert len(index) == 0
    elif call == "add":
        index.add(value)
        assert index.get(1)[-1] == kept
    else:
        index.add(np.zeros(shape))
        assert np.isfinite(index.search(value, 1).distances[0])


@pytest.mark.parametrize("stored", ACCEPTED)
def test_get_can_be_added_again(stored: str) -> None:
    index, copy = make_index(stored), make_index(stored)
    index.add(typed(stored, "bool" if stored == "binary" else "float64"))
    copy.add(index.get(range(len(SMALL))))
    np.testing.assert_array_equal(copy.get(range(len(SMALL))), expected(stored))


def test_bits_are_in_the_order_of_packbits() -> None:
    index = hopspan.Index(12, "hamming", dtype="binary", kind="flat")
    bits = np.zeros((2, 12), bool)
    bits[0, [0, 11]] = True
    index.add(bits)
    assert index.get(0).tolist() == [0b10000000, 0b00010000]
    assert index.search(bits[1], 2).distances.tolist() == [0, 2]


def test_buffer_of_an_array() -> None:
    index = make_index("float32")
    index.add(array.array("d", [1, 2, 3, 4, 5, 6]))
    index.add(bytearray(b"\1\2\3\4\5\7"))
    assert index.get([0, 1]).tolist() == [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 7]]


def test_broadcast_row() -> None:
    index = make_index("float32")
    index.add(np.broadcast_to(np.float32(7), (5, DIM)))
    assert (index.get(range(5)) == 7).all()


def test_arrow_floats_are_not_copied() -> None:
    from hopspan._inputs import to_matrix  # noqa: PLC0415

    values = pa.array(SMALL.astype(np.float32).ravel())
    matrix = to_matrix(pa.FixedSizeListArray.from_arrays(values, DIM), DIM, "float32", "vectors")
    assert matrix.ctypes.data == values.buffers()[1].address


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (pa.array([[1.0] * DIM, None], pa.list_(pa.float32(), DIM)), ValueError, "1 nulls"),
        (pa.array([[1.0] * (DIM - 1) + [None]], pa.list_(pa.float32(), DIM)), ValueError, "1 nulls"),
        (pa.array([[1.0] * (DIM + 1)], pa.list_(pa.float32(), DIM + 1)), ValueError, "7 dimensions"),
        (pa.array([["a"] * DIM], pa.list_(pa.string(), DIM)), TypeError, "object"),
        (pa.array([[1.0] * DIM], pa.list_(pa.float32())), TypeError, r"list<item: float>"),
        (pa.array([1.0] * DIM, pa.float32()), TypeError, "float"),
    ],
)
def test_refused_arrow_arrays(value: pa.Array, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_index("float32").add(value)


def test_arrow_bits() -> None:
    index = make_index("binary")
    index.add(arrow(BITS))
    np.testing.assert_array_equal(index.get(range(len(BITS))), np.packbits(BITS, axis=1))


def test_masked_elements_are_refused() -> None:
    index = make_index("float32")
    with pytest.raises(ValueError, match="masked"):
        index.add(np.ma.masked_equal(SMALL, 5))
    assert len(index.add(np.ma.masked_equal(SMALL, -1))) == len(SMALL)


def test_the_input_is_left_as_it_was() -> None:
    value = SMALL.astype(np.float32)
    index = hopspan.Index(DIM, "cosine")
    index.add(value)
    index.search(value)
    np.testing.assert_array_equal(value, SMALL)
