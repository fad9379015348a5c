"""Removing and replacing vectors: what is gone is never found, what is left is found as before."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import hopspan
from reference import PAIR_IDS, PAIRS, distances, nearest, random_vectors, recall

KINDS = ["hnsw", "flat", "spann"]


def filled(kind: str, n: int = 1000, dim: int = 16, **options: object) -> hopspan.Index:
    index = hopspan.Index(dim, kind=kind, threads=2, **options)
    index.add(random_vectors("float32", n, dim))
    return index


def wide(kind: str, effort: int) -> dict[str, int]:
    """Return what makes a search look at much."""
    return {"nprobe": effort} if kind == "spann" else {"ef": effort}


@pytest.mark.parametrize(
    ("kind", "metric", "dtype"),
    [
        pytest.param(kind, *pair, id=f"{kind}-{name}")
        for kind in KINDS
        for pair, name in zip(PAIRS, PAIR_IDS, strict=True)
        if kind != "spann" or "binary" not in pair  # lists hold no binary vectors
    ],
)
def test_what_is_left_is_found(kind: str, metric: str, dtype: str) -> None:
    vectors, queries = random_vectors(dtype, 900, 24), random_vectors(dtype, 30, 24, seed=1)
    index = hopspan.Index(24, metric, kind=kind, dtype=dtype)
    index.add(vectors[:600])
    gone = np.arange(0, 600, 7)
    assert index.remove(gone) == len(gone)
    replaced = np.arange(1, 600, 7)
    index.add(vectors[600 : 600 + len(replaced)], replaced)
    held = np.setdiff1d(np.arange(600), gone)
    current = vectors[:600].copy()
    current[replaced] = vectors[600 : 600 + len(replaced)]
    found = index.search(queries, 10, **wide(kind, 600))
    true = distances(metric, dtype, queries, current[held])
    expected = np.take_along_axis(true, nearest(true, 10), axis=1)
    np.testing.assert_allclose(found.distances, expected, rtol=1e-4, atol=1e-4)
    assert np.isin(found.ids, held).all()
    assert len(index) == len(held)
    assert all((i in index) == (i % 7 != 0) for i in range(600))
    report = index.check()
    assert report.vectors == report.reachable == len(held)


@pytest.mark.parametrize("kind", KINDS)
def test_remove_counts_what_was_there(kind: str) -> None:
    index = filled(kind)
    assert index.remove([5, 5, 6, 123456]) == 2
    assert index.remove([5, 6]) == 0
    assert index.remove(7) == 1
    assert index.remove(np.array([8, 9], np.uint16)) == 2
    assert index.remove([]) == 0
    assert len(index) == 995
    with pytest.raises(ValueError, match="id 5"):
        index.get([5])
    assert index.add(random_vectors("float32", 1, 16)).tolist() == [1000]
    index.remove([1000])
    assert index.add(random_vectors("float32", 1, 16)).tolist() == [1001]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([1, -3], ValueError, r"id -3 \(row 1\) is negative"),
        ([1, 2**63], ValueError, "id 9223372036854775808 is outside int64"),
        ([1.5], TypeError, "position 0 is 1.5"),
        (np.array([1.0]), TypeError, "ids must be integers, not float64"),
        (["1"], TypeError, "ids must be integers"),
        ([True], TypeError, "ids must be integers, not bool"),
        ([[1, 2]], ValueError, "ids have shape"),
    ],
)
def test_remove_refuses_bad_ids(kind: str, ids: object, error: type[Exception], message: str) -> None:
    index = filled(kind, 50)
    with pytest.raises(error, match=message):
        index.remove(ids)
    assert len(index) == 50
    assert 1 in index


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_than_k_are_left(kind: str) -> None:
    index = filled(kind, 300)
    index.remove(np.arange(4, 300))
    found = index.search(random_vectors("float32", 3, 16, seed=1), 10)
    assert (np.sort(found.ids[:, :4], axis=1) == np.arange(4)).all()
    assert (found.ids[:, 4:] == -1).all()
    assert np.isinf(found.distances[:, 4:]).all()
    index.remove(np.arange(4))
    assert (index.search(random_vectors("float32", 3, 16, seed=1), 10).ids == -1).all()
    assert len(index) == 0
    index.check()
    assert sum(index.stats()["bytes"].values()) < 4096


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mmap", [False, True])
def test_removed_places_are_saved(kind: str, mmap: bool, tmp_path: Path) -> None:
    index = filled(kind, 2000)
    index.remove(np.arange(0, 2000, 500))
    assert index.stats()["removed"] == 4
    index.save(tmp_path / "index")
    queries = random_vectors("float32", 20, 16, seed=1)
    for again in (hopspan.load(tmp_path / "index", mmap=mmap, verify=not mmap), pickle.loads(pickle.dumps(index))):
        assert len(again) == 1996
        assert again.stats()["removed"] == 4
        np.testing.assert_array_equal(
            again.search(queries, **wide(kind, 50)).ids, index.search(queries, **wide(kind, 50)).ids
        )
        assert again.remove([1, 2, 500]) == 2
        again.add(random_vectors("float32", 50, 16, seed=2), np.arange(450, 500))
        assert again.check().reachable == 1994
        assert (again.search(queries, 10, **wide(kind, 50)).ids % 500 != 0).all()


def test_replacing_a_clustered_set_keeps_its_recall() -> None:
    """Twice the whole set, a twentieth at a time in random order; at the same ef, beside an index made afresh."""
    n, dim, rounds = 4000, 24, 40
    vectors = random_vectors("float32", n, dim, clusters=30)
    queries = random_vectors("float32", 1500, dim, seed=6, clusters=30)
    index, fresh = (hopspan.Index(dim, M=8, ef_construction=80) for _ in range(2))
    index.add(vectors)
    fresh.add(vectors)
    order = np.concatenate([np.random.default_rng(seed).permutation(n) for seed in range(2)])
    for some in np.split(order, rounds):
        assert index.remove(some) == len(some)
        index.add(vectors[some], some)
        assert index.check().reachable == n
    true = nearest(distances("l2", "float32", queries, vectors), 10)
    for ef in (10, 20, 40):
        worn = recall(index.search(queries, 10, ef=ef).ids, true)
        assert worn > recall(fresh.search(queries, 10, ef=ef).ids, true) - 0.01
    assert index.stats()["bytes"]["vectors"] < 1.2 * fresh.stats()["bytes"]["vectors"]


def test_replacing_lists_keeps_their_recall_and_sizes() -> None:
    """The same with lists, at the same nprobe; and no list grows far above the others."""
    n, dim, rounds = 4000, 24, 40
    vectors = random_vectors("float32", n, dim, clusters=30)
    queries = random_vectors("float32", 1500, dim, seed=6, clusters=30)
    index, fresh = (hopspan.Index(dim, kind="spann", list_bytes=2048) for _ in range(2))
    index.add(vectors)
    fresh.add(vectors)
    order = np.concatenate([np.random.default_rng(seed).permutation(n) for seed in range(2)])
    for some in np.split(order, rounds):
        assert index.remove(some) == len(some)
        index.add(vectors[some], some)
        assert index.check().reachable == n
        sizes = np.array(index.stats()["list_sizes"])
        assert sizes.max() <= 2.5 * sizes.mean()
    true = nearest(distances("l2", "float32", queries, vectors), 10)
    for probes in (2, 4, 8, 16):
        worn = recall(index.search(queries, 10, nprobe=probes).ids, true)
        assert worn > recall(fresh.search(queries, 10, nprobe=probes).ids, true) - 0.01
    assert index.stats()["bytes"]["vectors"] < 1.2 * fresh.stats()["bytes"]["vectors"]


@pytest.mark.parametrize("kind", KINDS)
def test_searches_beside_changes_never_see_what_was_removed(kind: str) -> None:
    n, dim = 3000, 16
    vectors = random_vectors("float32", 2 * n, dim)
    index = hopspan.Index(dim, kind=kind, threads=2)
    index.add(vectors[:n])
    removed: list[int] = []
    done = threading.Event()

    def search() -> int:
        searches = 0
        while not done.is_set() or searches == 0:
            gone = removed[:]
            found = index.search(vectors[searches % n : searches % n + 5], 10, **wide(kind, 40))
            assert (found.ids >= 0).all()
            assert not np.isin(found.ids, gone).any()
            searches += 1
        return searches

    with ThreadPoolExecutor(4) as pool:
        searchers = [pool.submit(search) for _ in range(3)]
        try:
            for some in np.split(np.random.default_rng(1).permutation(n), 30)[:20]:
                assert index.remove(some) == len(some)
                removed.extend(some.tolist())
                added = index.add(vectors[n + some])
                assert (index.search(vectors[n + some], 1, **wide(kind, 100)).ids[:, 0] == added).mean() > 0.99
        finally:
            done.set()
        for searcher in searchers:
            assert searcher.result() > 0
    assert index.check().reachable == n
