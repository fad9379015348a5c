"""Many Python threads on one index, and other threads while a call works."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import hopspan
from reference import random_vectors

VECTORS = random_vectors("float32", 2000, 16)
QUERIES = random_vectors("float32", 200, 16, seed=1)


@pytest.mark.parametrize("kind", ["hnsw", "flat"])
def test_concurrent_searches_agree(kind: str) -> None:
    index = hopspan.Index(16, kind=kind)
    index.add(VECTORS)
    expected = index.search(QUERIES, 5, ef=40, threads=1)
    with ThreadPoolExecutor(16) as pool:
        batches = [pool.submit(index.search, QUERIES, 5, ef=40, threads=1 + i % 4) for i in range(48)]
        singles = [pool.submit(index.search, query, 5, ef=40) for query in QUERIES]
        for batch in batches:
            for found, wanted in zip(batch.result(), expected, strict=True):
                np.testing.assert_array_equal(found, wanted)
        for i, single in enumerate(singles):
            np.testing.assert_array_equal(single.result().ids, expected.ids[i])


@pytest.mark.parametrize("threads", [1, 2, 3, 8, 64])
def test_any_number_of_threads_gives_the_same(threads: int) -> None:
    index = hopspan.Index(16)
    index.add(VECTORS)
    one, many = index.search(QUERIES, 5, threads=1), index.search(QUERIES, 5, threads=threads)
    np.testing.assert_array_equal(one.ids, many.ids)
    np.testing.assert_array_equal(one.distances, many.distances)


@pytest.mark.parametrize("kind", ["hnsw", "flat"])
def test_searches_beside_adds(kind: str) -> None:
    """Whatever an add has returned for is there, and what a search returns is always something that was added."""
    index = hopspan.Index(16, kind=kind, threads=2)
    index.add(VECTORS[:100])
    done = threading.Event()

    def search() -> int:
        searches = 0
        while not done.is_set() or searches == 0:
            size = len(index)
            ids, distances = index.search(QUERIES[:20], 10, ef=20)
            assert (ids >= 0).all()
            assert (ids < 2000).all()
            assert (np.diff(distances, axis=1) >= 0).all()
            assert len(index) >= size
            searches += 1
        return searches

    def add(rows: np.ndarray) -> None:
        index.add(VECTORS[rows], rows)
        assert all(int(row) in index for row in rows)
        np.testing.assert_array_equal(index.search(VECTORS[rows], 1, ef=100).distances, 0)

    with ThreadPoolExecutor(8) as pool:
        searchers = [pool.submit(search) for _ in range(4)]
        adders = [pool.submit(add, rows) for rows in np.split(np.arange(100, 2000), 19)]
        try:
            for adder in adders:
                adder.result()
        finally:
            done.set()
        assert all(searcher.result() > 0 for searcher in searchers)
    assert len(index) == index.check().vectors == 2000
    np.testing.assert_array_equal(index.get(range(2000)), VECTORS)


def test_a_failing_thread_harms_no_other() -> None:
    index = hopspan.Index(16)
    bad = VECTORS[:50].copy()
    bad[49, 3] = np.nan

    def add(i: int) -> int:
        if i % 2:
            with pytest.raises(ValueError, match="row 49"):
                index.add(bad, np.arange(50) + 50 * i)
            return 0
        return len(index.add(VECTORS[50 * i : 50 * i + 50], np.arange(50) + 50 * i))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(40))) == 1000
    assert index.check().vectors == 1000


def test_one_id_from_many_threads_is_one_vector() -> None:
    index = hopspan.Index(16)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda i: index.add(VECTORS[i], 7).tolist() == [7], range(100)))
    assert len(index) == 1
    assert (index.get(7) == VECTORS[:100]).all(axis=1).any()


def made(size: int) -> hopspan.Index:
    index = hopspan.Index(64, M=8, ef_construction=40)
    index.add(random_vectors("float32", size, 64))
    return index


def add(size: int, _folder: Path) -> Callable[[], object]:
    vectors = random_vectors("float32", size, 64)
    return lambda: hopspan.Index(64).add(vectors)


def search(size: int, _folder: Path) -> Callable[[], object]:
    index, queries = made(2000), random_vectors("float32", 10 * size, 64)
    return lambda: index.search(queries, ef=500)


def search_flat(size: int, _folder: Path) -> Callable[[], object]:
    index = hopspan.Index(64, kind="flat")
    index.add(random_vectors("float32", 5000, 64))
    queries = random_vectors("float32", 10 * size, 64)
    return lambda: index.search(queries)


def tune(size: int, _folder: Path) -> Callable[[], object]:
    index, queries = made(5000), random_vectors("float32", size, 64)
    return lambda: index.tune(queries)


def check(size: int, _folder: Path) -> Callable[[], object]:
    index = hopspan.Index(1024, kind="flat")
    index.add(np.full((10 * size, 1024), 0.5, np.float32))
    return lambda: [index.check() for _ in range(10)]


def save(size: int, folder: Path) -> Callable[[], object]:
    index = hopspan.Index(1024, kind="flat")
    index.add(np.full((10 * size, 1024), 0.5, np.float32))
    return lambda: [index.save(folder / "index") for _ in range(10)]


def load(size: int, folder: Path) -> Callable[[], object]:
    save(size, folder)()
    return lambda: [hopspan.load(folder / "index", mmap=False) for _ in range(10)]


@pytest.mark.parametrize("prepare", [add, search, search_flat, tune, check, save, load])
def test_other_threads_run_while_a_call_works(prepare: Callable, tmp_path: Path) -> None:
    """Counts how often this thread wakes up during the call; if the call kept the GIL, that would be once or twice."""
    for size in (500, 2000, 8000, 32000):
        call = prepare(size, tmp_path)
        finished = threading.Event()
        worker = threading.Thread(target=lambda call=call, finished=finished: (call(), finished.set()))
        worker.start()
        wakes = 0
        while not finished.is_set():
            time.sleep(0.005)
            wakes += 1
        worker.join()
        if wakes > 15:
            return
    pytest.fail(f"only {wakes} wakes")
