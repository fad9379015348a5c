"""Exact search against float64 brute force: every metric and dtype, ties, and the order of results."""

import numpy as np
import pytest

import hopspan
from reference import PAIR_IDS, PAIRS, distances, nearest, random_vectors

N, K = 700, 12


@pytest.mark.parametrize("dim", [1, 7, 64, 100])
@pytest.mark.parametrize(("metric", "dtype"), PAIRS, ids=PAIR_IDS)
def test_equals_brute_force(metric: str, dtype: str, dim: int) -> None:
    vectors, queries = random_vectors(dtype, N, dim), random_vectors(dtype, 40, dim, seed=1)
    if dtype not in ("binary", "float32") and metric == "cosine":
        vectors, queries = vectors[vectors.any(axis=1)], queries[queries.any(axis=1)]
    index = hopspan.Index(dim, metric, kind="flat", dtype=dtype)
    index.add(vectors)
    expected = distances(metric, dtype, queries, vectors)
    for found in (index.search(queries, K), index.search(queries[:1], K), index.search(queries[0], K)):
        ids, values = np.atleast_2d(found.ids), np.atleast_2d(found.distances)
        reference = expected[: len(ids)]
        at_found = np.take_along_axis(reference, ids, axis=1)
        at_true = np.take_along_axis(reference, nearest(reference, K), axis=1)
        # The distances are float64's rounded to float32, give or take the last bit of a cosine near 0.
        np.testing.assert_allclose(values, at_found, rtol=1.2e-7, atol=1.2e-7 if metric in ("ip", "cosine") else 0)
        np.testing.assert_allclose(at_found, at_true, rtol=1e-7, atol=1e-7)
        assert all(len(set(row)) == K for row in ids.tolist())
        if metric in ("l2", "hamming") and dtype in ("int8", "uint8", "binary"):
            np.testing.assert_array_equal(values, at_true)
            np.testing.assert_array_equal(ids, nearest(reference, K))


@pytest.mark.parametrize("kind", ["hnsw", "flat"])
@pytest.mark.parametrize(("metric", "dtype"), PAIRS, ids=PAIR_IDS)
def test_ties_go_to_the_smaller_id(kind: str, metric: str, dtype: str) -> None:
    distinct = random_vectors(dtype, 6, 16)
    ids = np.random.default_rng(0).permutation(60) * 7
    index = hopspan.Index(16, metric, kind=kind, dtype=dtype)
    index.add(np.repeat(distinct, 10, axis=0), ids)
    found = index.search(distinct, 60, ef=60)
    for row_ids, row_distances in zip(found.ids, found.distances, strict=True):
        assert sorted(row_ids) == sorted(ids)
        order = np.lexsort((row_ids, row_distances))
        np.testing.assert_array_equal(order, np.arange(60))
        assert len(np.unique(row_distances)) <= 6


@pytest.mark.parametrize(("metric", "distance"), [("l2", 0.0), ("cosine", 0.0), ("ip", 1 - 14.0)])
def test_distances_have_the_documented_meaning(metric: str, distance: float) -> None:
    index = hopspan.Index(3, metric, kind="flat")
    index.add([[1, 2, 3]])
    assert index.search([1, 2, 3], 1).distances[0] == pytest.approx(distance, abs=1e-7)
    assert index.search([-1, -2, -3], 1).distances[0] == pytest.approx({"l2": 56, "cosine": 2, "ip": 15}[metric])


@pytest.mark.parametrize("scale", [1e-30, 1e-19, 1.0, 1e18])
@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_scales(metric: str, scale: float) -> None:
    vectors = (scale * random_vectors("float32", 200, 12)).astype(np.float32)
    index = hopspan.Index(12, metric, kind="flat")
    index.add(vectors)
    expected = distances(metric, "float32", vectors[:20], vectors)
    found = index.search(vectors[:20], 5)
    np.testing.assert_allclose(
        found.distances, np.sort(expected, axis=1)[:, :5], rtol=1e-6, atol=2e-7 if metric == "cosine" else 1e-45
    )


def test_batches_of_any_size_agree() -> None:
    vectors, queries = random_vectors("float32", 5000, 33), random_vectors("float32", 300, 33, seed=1)
    index = hopspan.Index(33, kind="flat")
    index.add(vectors)
    whole = index.search(queries, 20)
    for size in (1, 2, 7, 31, 100):
        parts = [index.search(queries[i : i + size], 20) for i in range(0, 300, size)]
        np.testing.assert_array_equal(np.vstack([part.ids for part in parts]), whole.ids)
        np.testing.assert_array_equal(np.vstack([part.distances for part in parts]), whole.distances)
