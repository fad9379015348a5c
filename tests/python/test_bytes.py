"""Float32 vectors that are whole numbers from 0 to 255 are kept in bytes, which nothing but the memory shows."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import hopspan

COUNT, DIM = 1500, 24
METRICS = ["l2", "ip", "cosine"]
KINDS = ["hnsw", "flat"]
rng = np.random.default_rng(3)
WHOLE = rng.integers(0, 256, (COUNT, DIM)).astype(np.float32)
FRACTIONS = WHOLE[:200] + 0.25
QUERIES = {
    "whole": rng.integers(0, 256, (100, DIM)).astype(np.float32),
    "fractions": (rng.random((100, DIM)) * 255).astype(np.float32),
    "beyond": (rng.standard_normal((100, DIM)) * 400).astype(np.float32),
}


def made(metric: str, kind: str, threads: int | None = None) -> hopspan.Index:
    index = hopspan.Index(DIM, metric, kind=kind, threads=threads)
    index.add(WHOLE)
    return index


def distances(metric: str, queries: NDArray, vectors: NDArray) -> NDArray:
    q, x = queries.astype(np.float64), vectors.astype(np.float64)
    if metric == "l2":
        return ((q[:, None] - x[None]) ** 2).sum(-1)
    if metric == "cosine":
        q, x = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (q, x))
    return 1 - q @ x.T


def vector_bytes(index: hopspan.Index) -> int:
    return index.stats()["bytes"]["vectors"]


def is_in_bytes(index: hopspan.Index) -> bool:
    return vector_bytes(index) < 3 * len(index) * DIM


def check_finds(index: hopspan.Index, vectors: NDArray) -> None:
    """A search that expands everything finds the nearest, whatever the queries are."""
    for queries in QUERIES.values():
        expected = np.sort(distances(index.metric, queries, vectors), axis=1)[:, :10]
        found = index.search(queries, 10, **({"ef": len(index)} if index.kind == "hnsw" else {})).distances
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
def test_whole_numbers_take_a_byte_each(metric: str, kind: str) -> None:
    index = made(metric, kind)
    assert is_in_bytes(index)
    assert index.dtype == "float32"
    got = index.get(range(COUNT))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, WHOLE)
    check_finds(index, WHOLE)
    index.check()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
def test_other_numbers_make_them_floats(metric: str, kind: str) -> None:
    index = made(metric, kind)
    index.add(FRACTIONS)
    assert not is_in_bytes(index)
    everything = np.vstack([WHOLE, FRACTIONS])
    np.testing.assert_array_equal(index.get(range(len(index))), everything)
    check_finds(index, everything)
    if kind == "hnsw":
        assert index.stats()["codes"] != "none"
    index.check()


@pytest.mark.parametrize("other", [np.float32(-0.0), np.float32(0.5), np.float32(-1), np.float32(256)])
def test_what_is_no_byte_stays_what_it_is(other: np.float32) -> None:
    vectors = WHOLE[:20].copy()
    vectors[13, 5] = other
    index = hopspan.Index(DIM)
    index.add(vectors)
    assert not is_in_bytes(index)
    assert index.get(range(20)).tobytes() == vectors.tobytes()


def fail(done: int, total: int) -> None:
    raise RuntimeError("enough")


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_add_leaves_bytes(kind: str) -> None:
    index = made("l2", kind)
    before = pickle.dumps(index)
    broken = FRACTIONS.copy()
    broken[-1, 3] = np.nan
    with pytest.raises(ValueError, match="row 199"):
        index.add(broken)
    with pytest.raises(ValueError, match="given twice"):
        index.add(FRACTIONS[:2], [5000, 5000])
    if kind == "hnsw":
        with pytest.raises(RuntimeError, match="enough"):
            index.add(FRACTIONS, progress=fail)
    assert is_in_bytes(index)
    assert pickle.dumps(index) == before
    check_finds(index, WHOLE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mmap", [True, False])
def test_files_keep_them(kind: str, mmap: bool, tmp_path: Path) -> None:
    index = made("cosine", kind)
    index.save(tmp_path / "index")
    assert (tmp_path / "index").stat().st_size < COUNT * (DIM + 4) + (COUNT * 200 if kind == "hnsw" else 20_000)
    loaded = hopspan.load(tmp_path / "index", mmap=mmap)
    assert is_in_bytes(loaded)
    for query in QUERIES.values():
        np.testing.assert_array_equal(loaded.search(query).ids, index.search(query).ids)
    for grown in (index, loaded):
        grown.add(WHOLE[:100] // 2)
        grown.add(FRACTIONS)
    assert pickle.dumps(loaded) == pickle.dumps(index)


def test_removal_and_replacement() -> None:
    index = made("l2", "hnsw")
    index.remove(range(0, COUNT, 2))
    index.add(WHOLE[:300] // 3, range(1, 600, 2))
    assert is_in_bytes(index)
    left = WHOLE.copy()
    left[1:600:2] = WHOLE[:300] // 3
    check_finds(index, left[1::2])
    index.add(FRACTIONS[:1], [1])
    left[1] = FRACTIONS[0]
    check_finds(index, left[1::2])
    index.remove(range(COUNT))
    index.add(WHOLE[:50])
    assert len(index) == 50
    index.check()


def test_the_same_index_on_any_number_of_threads() -> None:
    one, two = (pickle.dumps(made("l2", "hnsw", threads).search(QUERIES["whole"])) for threads in (1, 2))
    assert one == two


def test_a_folder_recovers_them(tmp_path: Path) -> None:
    with hopspan.open(tmp_path / "folder", "a", dim=DIM, sync=False) as folder:
        folder.add(WHOLE[:1200])
        folder.add(FRACTIONS)
    with hopspan.open(tmp_path / "folder", "a") as folder:
        np.testing.assert_array_equal(folder.get(range(1400)), np.vstack([WHOLE[:1200], FRACTIONS]))
        folder.check()


@pytest.mark.parametrize("options", [{}, {"profile": "compact"}])
@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_many_dimensions_have_codes_of_their_principal_ones(metric: str, options: dict) -> None:
    grid = np.linspace(0, 3, 256)
    waves = np.sin(rng.random((2000, 1)) * 9 * grid + rng.random((2000, 1)) * 6) + np.sin(
        rng.random((2000, 1)) * 20 * grid
    )
    vectors = np.round(127 + 60 * waves).clip(0, 255).astype(np.float32)
    index = hopspan.Index(256, metric, **options)
    index.add(vectors[:1900])
    stats = index.stats()
    assert stats["codes"] == "sq8"
    assert stats["bytes"]["codes"] <= 1900 * 128
    assert sum(stats["bytes"][part] for part in stats["bytes"] if "vectors" in part) < 2 * 1900 * 256
    assert ("vectors_on_disk" in stats["bytes"]) == bool(options)
    expected = np.argsort(distances(metric, vectors[1900:], vectors[:1900]), axis=1)[:, :10]
    found = index.search(vectors[1900:], ef=200).ids
    assert np.mean([len(set(a) & set(b)) for a, b in zip(found, expected, strict=True)]) > 9.7
    np.testing.assert_array_equal(index.get(range(1900)), vectors[:1900])
    index.add(vectors[1900:] + 0.5)
    np.testing.assert_array_equal(index.get(range(1900, 2000)), vectors[1900:] + 0.5)
    assert (index.search(vectors[1900:] + 0.5, 1).ids[:, 0] == range(1900, 2000)).all()
