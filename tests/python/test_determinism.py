"""The same vectors, options and seed give the same index, on any number of threads."""

from pathlib import Path

import numpy as np
import pytest

import hopspan
from reference import PAIR_IDS, PAIRS, random_vectors


def content(folder: Path, vectors: np.ndarray, metric: str = "l2", dtype: str = "float32", **options: object) -> bytes:
    index = hopspan.Index(vectors.shape[1], metric, dtype=dtype, **options)
    for part in np.array_split(vectors, [10, 700]):
        index.add(part)
    index.save(folder / "index")
    return (folder / "index").read_bytes()


@pytest.mark.parametrize(("metric", "dtype"), PAIRS, ids=PAIR_IDS)
def test_any_number_of_threads_builds_the_same_file(metric: str, dtype: str, tmp_path: Path) -> None:
    vectors = random_vectors(dtype, 1500, 16)
    files = {content(tmp_path, vectors, metric, dtype, seed=7, threads=threads) for threads in (1, 2, 3, 16, None)}
    assert len(files) == 1


def test_options_of_the_heuristic_too(tmp_path: Path) -> None:
    vectors = random_vectors("float32", 1500, 8, clusters=10)
    options = {"M": 5, "ef_construction": 20, "extend_candidates": True, "keep_pruned_connections": True}
    assert content(tmp_path, vectors, threads=1, **options) == content(tmp_path, vectors, threads=4, **options)


def test_the_seed_matters(tmp_path: Path) -> None:
    vectors = random_vectors("float32", 1500, 16)
    files = {content(tmp_path, vectors, seed=seed) for seed in (0, 1, 2**64 - 1)}
    assert len(files) == 3


def test_a_cancelled_add_leaves_no_trace(tmp_path: Path) -> None:
    """After a failure the next add gives what it would have given without it."""
    vectors = random_vectors("float32", 3000, 16)
    index = hopspan.Index(16)
    index.add(vectors[:1000])

    def stop(done: int, _total: int) -> None:
        if done > 100:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        index.add(vectors[::-1].repeat(5, axis=0), progress=stop)
    with pytest.raises(ValueError, match="row 1"):
        index.add([vectors[0], vectors[0] * np.nan])
    index.add(vectors[1000:])
    index.save(tmp_path / "a")
    smooth = hopspan.Index(16)
    smooth.add(vectors[:1000])
    smooth.add(vectors[1000:])
    smooth.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
