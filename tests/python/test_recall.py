"""What the graph finds of the true neighbours, for every metric and dtype, and whether a recall target is met."""

import numpy as np
import pytest

import hopspan
from reference import PAIR_IDS, PAIRS, distances, nearest, random_vectors, recall

DIM, K = 24, 10


@pytest.mark.parametrize("clusters", [None, 20], ids=["normal", "clustered"])
@pytest.mark.parametrize(("metric", "dtype"), PAIRS, ids=PAIR_IDS)
def test_recall_at_a_fixed_effort(metric: str, dtype: str, clusters: int | None) -> None:
    vectors = random_vectors(dtype, 2000, DIM, clusters=clusters)
    queries = random_vectors(dtype, 100, DIM, seed=1, clusters=clusters)
    index = hopspan.Index(DIM, metric, dtype=dtype)
    index.add(vectors)
    flat = hopspan.Index(DIM, metric, kind="flat", dtype=dtype)
    flat.add(vectors)
    found, true = index.search(queries, K, ef=80), flat.search(queries, K)
    # Integer distances tie at the k-th place, so what counts is being no farther than the true k-th.
    worst = true.distances[:, -1:]
    near_enough = found.distances <= worst + 1e-5 * (1 + np.abs(worst))
    assert near_enough.mean() > 0.97
    every = index.search(queries, K, ef=2000)
    np.testing.assert_allclose(every.distances, true.distances, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize("codes", ["none", "sq8", "sq4"])
def test_recall_on_codes_is_that_of_the_vectors_with_little_more_effort(codes: str, metric: str) -> None:
    vectors, queries = random_vectors("float32", 4000, 96), random_vectors("float32", 200, 96, seed=1)
    index = hopspan.Index(96, metric, codes=codes)
    index.add(vectors)
    assert index.stats()["codes"] == codes
    true = nearest(distances(metric, "float32", queries, vectors), K)
    assert recall(index.search(queries, K, ef=400).ids, true) > 0.98
    np.testing.assert_array_equal(index.get([7]), vectors[7:8])


def test_recall_grows_with_the_effort() -> None:
    vectors, queries = random_vectors("float32", 3000, 32), random_vectors("float32", 200, 32, seed=1)
    index = hopspan.Index(32, M=8, ef_construction=60)
    index.add(vectors)
    true = nearest(distances("l2", "float32", queries, vectors), K)
    recalls = [recall(index.search(queries, K, ef=ef).ids, true) for ef in (10, 20, 40, 80, 160, 320)]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.9
    assert recalls[-1] > 0.98


@pytest.fixture(scope="module", params=[None, 40], ids=["normal", "clustered"])
def hard(request: pytest.FixtureRequest) -> tuple[hopspan.Index, hopspan.Index, np.ndarray]:
    vectors = random_vectors("float32", 8000, 32, clusters=request.param)
    queries = random_vectors("float32", 3000, 32, seed=1, clusters=request.param)
    index, flat = hopspan.Index(32, M=8, ef_construction=60), hopspan.Index(32, kind="flat")
    index.add(vectors)
    flat.add(vectors)
    return index, flat, queries


@pytest.mark.parametrize("target", [0.9, 0.95, 0.99])
def test_recall_targets_are_met_on_queries_that_calibration_did_not_see(hard: tuple, target: float) -> None:
    index, flat, queries = hard
    true = flat.search(queries, K).ids
    least = recall(index.search(queries, K, ef=K).ids, true)  # no search takes less effort
    assert target - 0.01 <= recall(index.search(queries, K, recall=target).ids, true) <= max(target, least) + 0.02


def test_a_bare_search_aims_at_95_percent(hard: tuple) -> None:
    index, flat, queries = hard
    true = flat.search(queries, K).ids
    bare = index.search(queries, K)
    np.testing.assert_array_equal(bare.ids, index.search(queries, K, recall=0.95).ids)
    assert 0.935 <= recall(bare.ids, true) < 0.995


def test_higher_targets_find_more(hard: tuple) -> None:
    index, flat, queries = hard
    true = flat.search(queries, K).ids
    reached = [recall(index.search(queries, K, recall=target).ids, true) for target in (0.5, 0.8, 0.95, 0.99, 0.999)]
    assert reached == sorted(reached)
    assert reached[0] < reached[-1]


def test_a_target_holds_for_other_k(hard: tuple) -> None:
    index, flat, queries = hard
    for k in (1, 3, 30, 100):
        found = index.search(queries, k, recall=0.95)
        assert recall(found.ids, flat.search(queries, k).ids) >= 0.935


def test_every_vector_finds_itself() -> None:
    for clusters in (None, 5):
        vectors = random_vectors("float32", 4000, 16, clusters=clusters)
        index = hopspan.Index(16)
        for part in np.array_split(vectors, 7):
            index.add(part)
        assert index.check().reachable == 4000
        assert (index.search(vectors, 1, ef=100).distances == 0).mean() > 0.999
