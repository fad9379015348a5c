"""Files of vectors: what is read, and what is refused."""

import re
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hopspan.datasets import Truth, read_base, read_queries

RNG = np.random.default_rng(0)
VECTORS = RNG.integers(0, 100, (7, 5)).astype(np.float32)


def refusal(path: Path) -> str:
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        read_queries(path)
    return str(caught.value)


def write_big_ann(path: Path, vectors: np.ndarray, rows: int | None = None) -> Path:
    path.write_bytes(struct.pack("<II", len(vectors) if rows is None else rows, vectors.shape[1]) + vectors.tobytes())
    return path


def write_hdf5(path: Path, distance: str | None = "euclidean", **arrays: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
        if distance is not None:
            file.attrs["distance"] = distance
    return path


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "u1", "i1", "<i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_npy(tmp_path: Path, dtype: str, order: Any, version: tuple[int, int]) -> None:
    vectors = np.asarray(VECTORS, dtype, order=order)
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, vectors, version)
    read = read_base(tmp_path / "a.npy")
    assert read.vectors.dtype == vectors.dtype
    np.testing.assert_array_equal(read.vectors, vectors)
    assert isinstance(read.vectors, np.memmap)
    assert read.metric is None
    assert read.truth is None


@pytest.mark.parametrize(("suffix", "dtype"), [(".fbin", "f4"), (".u8bin", "u1"), (".i8bin", "i1"), (".FBIN", "f4")])
def test_big_ann(tmp_path: Path, suffix: str, dtype: str) -> None:
    read = read_queries(write_big_ann(tmp_path / f"a{suffix}", VECTORS.astype(dtype)))
    assert read.vectors.dtype == dtype
    np.testing.assert_array_equal(read.vectors, VECTORS)
    assert isinstance(read.vectors, np.memmap)


@pytest.mark.parametrize(("cut", "actual"), [(-1, 147), (1, 149), (-148, 0)])
def test_big_ann_of_another_size(tmp_path: Path, cut: int, actual: int) -> None:
    path = write_big_ann(tmp_path / "a.fbin", VECTORS)
    content = path.read_bytes()
    assert len(content) == 148
    path.write_bytes(content[:cut] if cut < 0 else content + bytes(cut))
    message = refusal(path)
    assert f"has {actual} bytes" in message
    assert ("takes 148" if actual else "its header alone takes 8") in message


def test_header_of_enormous_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.fbin"
    path.write_bytes(struct.pack("<II", 2**32 - 1, 2**32 - 1))
    assert f"takes {8 + (2**32 - 1) ** 2 * 4:,}" in refusal(path)


@pytest.mark.parametrize("shape", [(0, 5), (7, 0)])
def test_nothing_in_it(tmp_path: Path, shape: tuple[int, int]) -> None:
    write_big_ann(tmp_path / "a.u8bin", np.empty(shape, "u1"))
    np.save(tmp_path / "a.npy", np.empty(shape))
    write_hdf5(tmp_path / "a.hdf5", test=np.empty(shape))
    for name in ("a.u8bin", "a.npy", "a.hdf5"):
        assert str(shape) in refusal(tmp_path / name)


@pytest.mark.parametrize("change", [-1, 1, 4096])
def test_npy_of_another_size(tmp_path: Path, change: int) -> None:
    path = tmp_path / "a.npy"
    np.save(path, VECTORS)
    content = path.read_bytes()
    path.write_bytes(content[:change] if change < 0 else content + bytes(change))
    message = refusal(path)
    assert f"has {len(content) + change:,} bytes" in message
    assert f"7 x 5 float32, which takes {len(content)}" in message


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('unpickled')",)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(4), "(4,)"),
        (np.zeros((2, 3, 4)), "(2, 3, 4)"),
        (np.array(3.0), "()"),
        (np.zeros((2, 2), complex), "complex128"),
        (np.array([["a", "b"]]), "<U1"),
        (np.array([[Bomb(), Bomb()]], object), "object"),
        (np.zeros((2, 2), "f4,f4"), "[('f0', '<f4'), ('f1', '<f4')]"),
        (np.zeros((2, 2), [("\u4e00", "f4")]), "records"),
        (np.zeros((2, 2), "M8[s]"), "datetime64[s]"),
    ],
)
@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
def test_npy_of_something_else(tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "a.npy", array)
    assert said in refusal(tmp_path / "a.npy")


def test_npy_header_of_any_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, VECTORS)
    content = path.read_bytes()
    for place in range(128):
        for byte in (0, 10, 39, 40, 91, 123, 255):
            path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
            with suppress(ValueError):
                assert read_base(path).vectors.size == VECTORS.size
    path.write_bytes(b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000)
    assert "is not a .npy file" in refusal(path)


def test_unknown_suffix_names_the_known(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2")
    assert re.search(r"'\.csv'.*\.npy.*\.u8bin.*\.hdf5", refusal(tmp_path / "a.csv"))


@pytest.mark.parametrize("name", ["none.npy", "none.fbin", "none.hdf5"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=name):
        read_base(tmp_path / name)


@pytest.mark.parametrize(
    ("distance", "metric"), [("euclidean", "l2"), ("angular", "cosine"), ("hamming", "hamming"), (None, None)]
)
def test_ann_benchmarks(tmp_path: Path, distance: str | None, metric: str | None) -> None:
    ids, distances = np.array([[3, 1], [0, 2]]), np.array([[0.5, 1.0], [0.0, 2.0]])
    path = write_hdf5(
        tmp_path / "a.hdf5", distance, train=VECTORS, test=VECTORS[:2], neighbors=ids, distances=distances
    )
    base, queries = read_base(path), read_queries(path)
    np.testing.assert_array_equal(base.vectors, VECTORS)
    np.testing.assert_array_equal(queries.vectors, VECTORS[:2])
    assert base.metric == queries.metric == metric
    assert base.truth is None
    assert queries.truth is not None
    assert (queries.truth.rows, queries.truth.depth) == (7, 2)
    np.testing.assert_array_equal(queries.truth.ids, ids)


def test_ann_benchmarks_without_truth(tmp_path: Path) -> None:
    assert read_queries(write_hdf5(tmp_path / "a.h5", test=VECTORS)).truth is None
    named_in_bytes = write_hdf5(tmp_path / "b.h5", np.bytes_("ip"), test=VECTORS)  # type: ignore[arg-type]
    assert read_queries(named_in_bytes).metric == "ip"


@pytest.mark.parametrize(
    ("arrays", "distance", "said"),
    [
        ({"train": VECTORS}, "euclidean", "no array 'test'; it has train"),
        ({}, "euclidean", "it has nothing"),
        ({"test": VECTORS}, "jaccard", "'jaccard'"),
        ({"test": VECTORS[0]}, "euclidean", "(5,)"),
        ({"test": np.array([[b"a"]])}, "euclidean", "|S1"),
        ({"test": VECTORS, "neighbors": np.ones((6, 2), int)}, "ip", "7 queries, but neighbors (6, 2)"),
        (
            {"test": VECTORS, "neighbors": np.ones((7, 2), int), "distances": np.ones((7, 3))},
            "ip",
            "neighbors (7, 2), distances (7, 3)",
        ),
    ],
)
def test_hdf5_of_something_else(tmp_path: Path, arrays: dict[str, Any], distance: str, said: str) -> None:
    assert said in refusal(write_hdf5(tmp_path / "a.hdf5", distance, **arrays))


def test_damaged_hdf5(tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "a.hdf5", test=RNG.random((100, 100)))
    content = path.read_bytes()
    for damaged in (b"", b"text", content[:-1], content[: len(content) // 2]):
        path.write_bytes(damaged)
        assert "is not a whole HDF5 file" in refusal(path)


def test_hdf5_group_in_place_of_an_array(tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "a.hdf5", **{"test/inner": VECTORS})
    assert "no array 'test'" in refusal(path)


def test_hdf5_without_h5py_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_hdf5(tmp_path / "a.hdf5", test=VECTORS)
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert "pip install 'hopspan[hdf5]'" in refusal(path)


def test_recall_counts_the_true_ids() -> None:
    truth = Truth(np.array([[4, 3, 2], [7, 8, 9]]), None, 10)
    assert truth.recall(np.array([[3, 4], [8, 7]])) == 1.0
    assert truth.recall(np.array([[3, 2], [1, 7]])) == 0.5
    assert truth.recall(np.array([[-1, -1], [-1, -1]])) == 0.0


def test_recall_counts_what_is_as_near_as_the_kth() -> None:
    truth = Truth(np.array([[4, 3, 2, 1]]), np.array([[0.0, 1.0, 1.0, 2.0]]), 10)
    assert truth.recall(np.array([[4, 2]])) == 1.0
    assert truth.recall(np.array([[4, 1]])) == 0.5
    assert truth.recall(np.array([[2]])) == 0.0
