"""Every bad argument: the exception, the words that name it, and an index that is as it was."""

from typing import Any

import numpy as np
import pytest

import hopspan
from reference import random_vectors

VECTORS = random_vectors("float32", 300, 8)


@pytest.fixture(params=["hnsw", "flat"])
def index(request: pytest.FixtureRequest) -> hopspan.Index:
    made = hopspan.Index(8, kind=request.param)
    made.add(VECTORS)
    return made


def state(index: hopspan.Index) -> tuple[object, ...]:
    index.check()
    found = index.search(VECTORS[:50], 5, ef=50)
    return len(index), found.ids.tolist(), found.distances.tolist(), bytes(index.__reduce__()[1][0])


NEW_INDEX = [
    ({"dim": 0}, ValueError, "dim must be 1..65536, not 0"),
    ({"dim": 65537}, ValueError, "dim must be 1..65536, not 65537"),
    ({"dim": -3}, ValueError, "dim must be at least 0, not -3"),
    ({"dim": 2**70}, ValueError, f"not {2**70}"),
    ({"dim": 8.0}, TypeError, "dim must be an integer, not float"),
    ({"dim": "8"}, TypeError, "dim must be an integer, not str"),
    ({"dim": None}, TypeError, "dim must be an integer, not NoneType"),
    ({"metric": "L2"}, ValueError, "metric must be one of 'l2', 'ip', 'cosine', 'hamming', not 'L2'"),
    ({"metric": 2}, TypeError, "metric must be a string, not int"),
    ({"metric": "hamming"}, ValueError, "hamming.*binary.*float32"),
    ({"metric": "l2", "dtype": "binary"}, ValueError, "binary.*hamming.*l2"),
    ({"kind": "ivf"}, ValueError, "kind must be one of 'flat', 'hnsw', 'spann', not 'ivf'"),
    ({"kind": None}, TypeError, "kind must be a string, not NoneType"),
    ({"dtype": "float64"}, ValueError, "dtype must be one of .*, not 'float64'"),
    ({"dtype": np.float32}, TypeError, "dtype must be a string, not type"),
    ({"seed": -1}, ValueError, "seed must be at least 0, not -1"),
    ({"seed": 2**64}, ValueError, "seed must be at most 18446744073709551615, not 18446744073709551616"),
    ({"seed": None}, TypeError, "seed must be an integer, not NoneType"),
    ({"threads": 0}, ValueError, "threads must be at least 1, not 0"),
    ({"threads": -1}, ValueError, "threads must be at least 1, not -1"),
    ({"threads": "2"}, TypeError, "str"),
    ({"M": 1}, ValueError, "M must be 2..512, not 1"),
    ({"M": 513}, ValueError, "M must be 2..512, not 513"),
    ({"M": 2**32}, ValueError, "M must be at most 4294967295, not 4294967296"),
    ({"M": 16.0}, TypeError, "M must be an integer, not float"),
    ({"ef_construction": 15}, ValueError, "ef_construction must be 16..65536, not 15"),
    ({"ef_construction": 65537}, ValueError, "ef_construction must be 16..65536, not 65537"),
    ({"M": 40, "ef_construction": 39}, ValueError, "ef_construction must be 40..65536, not 39"),
    ({"extend_candidates": 1}, TypeError, "extend_candidates must be a bool, not int"),
    ({"keep_pruned_connections": "yes"}, TypeError, "keep_pruned_connections must be a bool, not str"),
    ({"m": 16}, TypeError, "unknown option 'm' for kind 'hnsw'"),
    ({"kind": "flat", "M": 16}, TypeError, "unknown option 'M' for kind 'flat'"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), NEW_INDEX)
def test_new_index(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        hopspan.Index(**{"dim": 8, **arguments})


ROW = VECTORS[0].tolist()
WITH_NAN = np.array([ROW, ROW, [*ROW[:7], float("nan")]])
WITH_INF = np.array([ROW, [*ROW[:7], float("-inf")]], np.float32)

BAD_VECTORS = [
    (VECTORS[:, :7], ValueError, "7 dimensions; the index has 8"),
    (np.zeros((3, 9)), ValueError, "9 dimensions; the index has 8"),
    (np.zeros(9), ValueError, "9 dimensions; the index has 8"),
    (np.zeros((0, 9)), ValueError, "9 dimensions; the index has 8"),
    (np.zeros((3, 7), np.float32), ValueError, "7 dimensions; the index has 8"),
    (np.zeros(16, np.float32), ValueError, "16 dimensions; the index has 8"),
    (np.float32(1), ValueError, r"shape \(\); they must be \(n, 8\) or \(8,\)"),
    (3.5, ValueError, r"shape \(\)"),
    (np.zeros((1, 1, 8), np.float32), ValueError, r"shape \(1, 1, 8\)"),
    (np.zeros((2, 3, 8)), ValueError, r"shape \(2, 3, 8\); they must be \(n, 8\) or \(8,\)"),
    (WITH_NAN, ValueError, "row 2 has a NaN or infinite value"),
    (WITH_INF, ValueError, "row 1 has a NaN or infinite value"),
    ([ROW, ROW[:7]], ValueError, "inhomogeneous"),
    (np.array([ROW], object), TypeError, "object"),
    ([[None] * 8], TypeError, "object"),
    (["word"] * 8, TypeError, "<U4"),
    (np.array([[1j] * 8]), TypeError, "complex128"),
    (np.zeros((2, 8), bool), TypeError, "bool"),
    (None, TypeError, "object"),
    ({"a": 1}, TypeError, "object"),
]
BAD_IDS = [
    ([-1, 900], ValueError, r"id -1 \(row 0\) is negative"),
    ([900, 900], ValueError, r"id 900 is given twice \(rows 0 and 1\)"),
    ([900, 2**63], ValueError, "id 9223372036854775808 is outside int64"),
    (np.array([900, 2**63], np.uint64), ValueError, "id 9223372036854775808 is outside int64"),
    ([900, -(2**70)], ValueError, f"id -{2**70} is outside int64"),
    ([900], ValueError, "1 ids for 2 vectors"),
    ([900, 901, 902], ValueError, "3 ids for 2 vectors"),
    ([], ValueError, "0 ids for 2 vectors"),
    (900, ValueError, "1 ids for 2 vectors"),
    ([[900, 901]], ValueError, r"ids have shape \(1, 2\); they must be \(n,\)"),
    ([900.0, 901.0], TypeError, "position 0 is 900.0"),
    (np.array([900.0, 901.0]), TypeError, "ids must be integers, not float64"),
    (["900", "901"], TypeError, "ids must be integers, not <U3"),
    ([True, False], TypeError, "ids must be integers, not bool"),
    ([900, None], TypeError, "position 1 is None"),
    ([True, None], TypeError, "position 0 is True"),
]
BAD_SEARCHES = [
    ({"k": 0}, ValueError, "k must be at least 1, not 0"),
    ({"k": -5}, ValueError, "k must be at least 0, not -5"),
    ({"k": 2**40}, ValueError, "k must be at most 4294967295, not 1099511627776"),
    ({"k": 2.0}, TypeError, "k must be an integer, not float"),
    ({"k": None}, TypeError, "k must be an integer, not NoneType"),
    ({"k": 10, "ef": 9}, ValueError, "ef=9 is below k=10"),
    ({"ef": -1}, ValueError, "ef must be at least 0, not -1"),
    ({"ef": 50.0}, TypeError, "ef must be an integer, not float"),
    ({"recall": 0}, ValueError, "recall must lie between 0 and 1, not 0"),
    ({"recall": 1.0}, ValueError, "recall must lie between 0 and 1, not 1"),
    ({"recall": -0.5}, ValueError, "recall must lie between 0 and 1, not -0.5"),
    ({"recall": 95}, ValueError, "recall must lie between 0 and 1, not 95"),
    ({"recall": float("nan")}, ValueError, "recall must lie between 0 and 1, not nan"),
    ({"recall": "high"}, TypeError, "recall must be a number, not str"),
    ({"recall": 0.9, "ef": 20}, ValueError, "ef=20 and recall=0.9.* are both given"),
    ({"threads": 0}, ValueError, "threads must be at least 1, not 0"),
    ({"threads": 1.5}, TypeError, "threads must be an integer, not float"),
    ({"nlist": 3}, TypeError, "nlist"),
]


@pytest.mark.parametrize(("vectors", "error", "message"), BAD_VECTORS)
def test_add_bad_vectors(index: hopspan.Index, vectors: Any, error: type[Exception], message: str) -> None:
    before = state(index)
    with pytest.raises(error, match=message):
        index.add(vectors)
    assert state(index) == before


@pytest.mark.parametrize(("queries", "error", "message"), BAD_VECTORS)
def test_search_bad_queries(index: hopspan.Index, queries: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        index.search(queries, 3)


@pytest.mark.parametrize(("ids", "error", "message"), BAD_IDS)
def test_add_bad_ids(index: hopspan.Index, ids: Any, error: type[Exception], message: str) -> None:
    before = state(index)
    with pytest.raises(error, match=message):
        index.add(VECTORS[:2], ids)
    assert state(index) == before
    assert index.add(VECTORS[:1]).tolist() == [300]


def test_bad_row_after_good_ones_adds_none(index: hopspan.Index) -> None:
    before = state(index)
    rows = random_vectors("float32", 500, 8, seed=3)
    rows[499, 0] = np.nan
    with pytest.raises(ValueError, match="row 499 has a NaN or infinite value"):
        index.add(rows, np.arange(1000, 1500))
    assert 1000 not in index
    assert state(index) == before


@pytest.mark.parametrize(("arguments", "error", "message"), BAD_SEARCHES)
def test_bad_search(index: hopspan.Index, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        index.search(VECTORS[:3], **arguments)


@pytest.mark.parametrize("kind", ["hnsw", "flat"])
def test_zero_vector_under_cosine(kind: str) -> None:
    index = hopspan.Index(8, "cosine", kind=kind)
    index.add(VECTORS)
    with pytest.raises(ValueError, match="row 1 is a zero vector"):
        index.add([ROW, [0] * 8])
    with pytest.raises(ValueError, match="row 0 is a zero vector"):
        index.search(np.zeros(8))
    assert len(index) == 300


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.zeros((2, 12)), TypeError, "float64"),
        (np.zeros((2, 12), np.int8), TypeError, "int8"),
        (np.zeros((2, 11), bool), ValueError, "11 bits; the index has 12"),
        (np.zeros((2, 3), np.uint8), ValueError, "3 bytes; 12 packed bits take 2"),
        (np.array([[0, 0], [0, 0b1000]], np.uint8), ValueError, "row 1"),
    ],
)
def test_bad_bits(value: np.ndarray, error: type[Exception], message: str) -> None:
    index = hopspan.Index(12, "hamming", dtype="binary")
    for call in (index.add, index.search):
        with pytest.raises(error, match=message):
            call(value)
    assert len(index) == 0


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        (300, ValueError, "id 300"),
        ([0, 1, 5000], ValueError, r"id 5000 \(row 2\) is not in the index"),
        ([-1], ValueError, "id -1"),
        ([2**63], ValueError, "outside int64"),
        ([[0]], ValueError, r"shape \(1, 1\)"),
        ("0", TypeError, "ids must be integers"),
        (1.0, TypeError, "position 0 is 1.0"),
    ],
)
def test_bad_get(index: hopspan.Index, ids: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        index.get(ids)


@pytest.mark.parametrize("item", ["0", 1.0, None, [1], np.array([1, 2])])
def test_only_integers_can_be_members(index: hopspan.Index, item: object) -> None:
    with pytest.raises(TypeError):
        item in index  # noqa: B015


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"k": 0}, ValueError, "k must be at least 1, not 0"),
        ({"queries": WITH_NAN}, ValueError, "row 2"),
        ({"queries": np.zeros((3, 7))}, ValueError, "7 dimensions"),
        ({"queries": np.zeros((0, 8))}, ValueError, "at least 1 query, not 0"),
    ],
)
def test_bad_tune(index: hopspan.Index, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    before = index.search(VECTORS[:50]).ids
    with pytest.raises(error, match=message):
        index.tune(**arguments)
    np.testing.assert_array_equal(index.search(VECTORS[:50]).ids, before)


def test_tuning_an_empty_index() -> None:
    with pytest.raises(ValueError, match="empty index"):
        hopspan.Index(8).tune()


@pytest.mark.parametrize("progress", [3, "no", object()])
def test_progress_must_be_callable(index: hopspan.Index, progress: Any) -> None:
    with pytest.raises(TypeError, match="progress must be callable"):
        index.add(VECTORS, progress=progress)
    assert len(index) == 300


def test_progress_must_not_use_the_index() -> None:
    index = hopspan.Index(8)
    with pytest.raises(RuntimeError, match="own progress callback"):
        index.add(VECTORS, progress=lambda _done, _total: index.search(VECTORS[:1]))
    assert len(index) == 0


def test_progress_may_use_another_index(index: hopspan.Index) -> None:
    other = hopspan.Index(8)
    other.add(VECTORS, progress=lambda _done, _total: index.search(VECTORS[:5]))
    assert len(other) == 300


def test_hopspans_own_exceptions() -> None:
    for own in (hopspan.CorruptIndexError, hopspan.VersionError):
        assert issubclass(own, hopspan.Error)
        assert issubclass(own, ValueError)
