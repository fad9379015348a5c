"""The names, shapes, dtypes and defaults of the public surface."""

import inspect
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import hopspan
from reference import PAIR_IDS, PAIRS, random_vectors

VECTORS = random_vectors("float32", 200, 8)


@pytest.fixture(params=["hnsw", "flat"])
def index(request: pytest.FixtureRequest) -> hopspan.Index:
    made = hopspan.Index(8, kind=request.param)
    made.add(VECTORS)
    return made


def test_signatures() -> None:
    assert str(inspect.signature(hopspan.Index).replace(return_annotation=inspect.Signature.empty)) == (
        "(dim: 'int', metric: 'Metric' = 'l2', *, kind: 'Kind' = 'hnsw', dtype: 'DType' = 'float32', seed: 'int' = 0, "
        "threads: 'int | None' = None, **options: 'Unpack[Options]')"
    )
    names = {
        "add": ["self", "vectors", "ids", "progress"],
        "search": ["self", "queries", "k", "recall", "ef", "nprobe", "threads"],
        "get": ["self", "ids"],
        "tune": ["self", "queries", "k"],
        "check": ["self", "deep"],
        "stats": ["self"],
        "save": ["self", "path"],
    }
    for name, parameters in names.items():
        assert list(inspect.signature(getattr(hopspan.Index, name)).parameters) == parameters
    assert list(inspect.signature(hopspan.load).parameters) == ["path", "mmap", "verify", "cache"]


def test_version_is_the_distributions() -> None:
    assert hopspan.__version__ == version("hopspan")


def test_defaults() -> None:
    index = hopspan.Index(8)
    assert (index.dim, index.metric, index.kind, index.dtype) == (8, "l2", "hnsw", "float32")
    assert len(index) == 0


@pytest.mark.parametrize(("metric", "dtype"), PAIRS, ids=PAIR_IDS)
@pytest.mark.parametrize("kind", ["hnsw", "flat"])
def test_properties_are_what_was_asked_for(kind: str, metric: str, dtype: str) -> None:
    index = hopspan.Index(24, metric, kind=kind, dtype=dtype)
    assert (index.dim, index.metric, index.kind, index.dtype) == (24, metric, kind, dtype)


def test_properties_are_read_only(index: hopspan.Index) -> None:
    for name in ("dim", "metric", "kind", "dtype"):
        with pytest.raises(AttributeError):
            setattr(index, name, "l2")
    with pytest.raises(AttributeError):
        index.anything_else = 1


def test_repr() -> None:
    index = hopspan.Index(3, "ip", kind="flat", dtype="float16")
    index.add(np.ones((1200, 3)))
    assert repr(index) == "<hopspan.Index: 1,200 vectors, dim=3, metric='ip', kind='flat', dtype='float16'>"


def test_add_gives_the_next_free_ids(index: hopspan.Index) -> None:
    ids = index.add(VECTORS[:3])
    assert ids.dtype == np.int64
    assert ids.tolist() == [200, 201, 202]
    assert index.add(VECTORS[:2], [1000, 500]).tolist() == [1000, 500]
    assert index.add(VECTORS[:2]).tolist() == [1001, 1002]
    assert len(index) == 207


def test_largest_id(index: hopspan.Index) -> None:
    top = 2**63 - 1
    index.add(VECTORS[:1], [top])
    assert top in index
    np.testing.assert_array_equal(index.get(top), VECTORS[0])


@pytest.mark.parametrize(
    "ids", [(5000, 6000), np.array([5000, 6000], np.uint16), np.array([5000, 0, 6000])[::2], range(5000, 6001, 1000)]
)
def test_ids_may_be_any_integers(index: hopspan.Index, ids: object) -> None:
    assert index.add(VECTORS[:2], ids).tolist() == [5000, 6000]


def test_one_vector_is_a_batch_of_one(index: hopspan.Index) -> None:
    assert index.add(VECTORS[0]).tolist() == [200]
    assert index.add(VECTORS[0], 300).tolist() == [300]


def test_results_of_a_batch(index: hopspan.Index) -> None:
    found = index.search(VECTORS[:5], 3)
    assert isinstance(found, hopspan.Neighbors)
    assert found._fields == ("ids", "distances")
    assert found.ids.shape == found.distances.shape == (5, 3)
    assert (found.ids.dtype, found.distances.dtype) == (np.int64, np.float32)
    assert found.ids[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert (found.distances[:, 0] == 0).all()
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert found.ids.flags.owndata
    assert found.ids.flags.writeable


def test_results_of_a_single_query(index: hopspan.Index) -> None:
    ids, distances = index.search(VECTORS[7], 3)
    batch = index.search(VECTORS[7:8], 3)
    assert ids.shape == distances.shape == (3,)
    np.testing.assert_array_equal(ids, batch.ids[0])
    np.testing.assert_array_equal(distances, batch.distances[0])


def test_ten_results_unless_told(index: hopspan.Index) -> None:
    assert index.search(VECTORS[:2]).ids.shape == (2, 10)


def test_fewer_vectors_than_k(index: hopspan.Index) -> None:
    ids, distances = index.search(VECTORS[:2], 203, ef=203)
    assert sorted(ids[0, :200]) == list(range(200))
    assert (ids[:, 200:] == -1).all()
    assert np.isposinf(distances[:, 200:]).all()
    assert np.isfinite(distances[:, :200]).all()


def test_empty_batches(index: hopspan.Index) -> None:
    for empty in (np.empty((0, 8)), np.empty((0, 8), np.float32), []):
        assert index.add(empty).shape == (0,)
        assert index.add(empty, []).shape == (0,)
        found = index.search(empty, 3)
        assert found.ids.shape == found.distances.shape == (0, 3)
    assert index.get([]).shape == (0, 8)
    assert len(index) == 200


@pytest.mark.parametrize("kind", ["hnsw", "flat"])
def test_an_index_without_vectors(kind: str) -> None:
    index = hopspan.Index(8, kind=kind)
    ids, distances = index.search(VECTORS[:2], 3)
    assert (ids == -1).all()
    assert np.isposinf(distances).all()
    assert 0 not in index
    assert index.check().vectors == 0
    assert index.stats()["size"] == 0


def test_walks_are_counted(tmp_path: Path) -> None:
    vectors = random_vectors("float32", 2000, 16)
    index = hopspan.Index(16, codes="sq8")
    index.add(vectors)
    assert set(index.stats()["walks"].values()) == {0}
    index.search(vectors[:50], ef=40)
    walks = index.stats()["walks"]
    assert walks["searches"] == 50
    assert 50 * 20 <= walks["expansions"] <= 50 * 160
    assert walks["distances"] >= walks["expansions"]
    assert 50 * 10 <= walks["ranked"] <= walks["distances"]
    # 32 links of 4 bytes, a code of 16 bytes, a row of 64.
    assert walks["lines"] == 2 * walks["expansions"] + walks["distances"] + walks["ranked"]
    index.save(tmp_path / "index")
    loaded = hopspan.load(tmp_path / "index")
    assert loaded.stats()["walks"]["searches"] == 0
    for _ in range(2):
        loaded.search(vectors[:50], ef=40, threads=1)
    assert loaded.stats()["walks"] == {name: 2 * count for name, count in walks.items()}


def test_get_returns_what_was_added(index: hopspan.Index) -> None:
    index.add(VECTORS[5:7], [1000, 400])
    np.testing.assert_array_equal(index.get([1000, 3, 400, 3]), VECTORS[[5, 3, 6, 3]])
    assert index.get([3]).shape == (1, 8)
    assert index.get(3).shape == (8,)
    assert index.get(np.int64(3)).dtype == np.float32


@pytest.mark.parametrize(
    ("dtype", "returned", "columns"),
    [
        ("float32", np.float32, 12),
        ("float16", np.float16, 12),
        ("bfloat16", np.float32, 12),
        ("int8", np.int8, 12),
        ("uint8", np.uint8, 12),
        ("binary", np.uint8, 2),
    ],
)
def test_get_returns_the_stored_dtype(dtype: str, returned: type, columns: int) -> None:
    index = hopspan.Index(12, "hamming" if dtype == "binary" else "l2", dtype=dtype)
    index.add(random_vectors(dtype, 5, 12))
    assert index.get([0, 1]).dtype == returned
    assert index.get([0, 1]).shape == (2, columns)


def test_get_under_cosine_is_not_normalised() -> None:
    index = hopspan.Index(8, "cosine")
    index.add(VECTORS)
    np.testing.assert_array_equal(index.get(range(200)), VECTORS)


def test_membership(index: hopspan.Index) -> None:
    assert 0 in index
    assert np.int16(199) in index
    assert 200 not in index
    assert -1 not in index
    assert 2**70 not in index


def test_stats(index: hopspan.Index) -> None:
    stats = index.stats()
    assert stats["size"] == 200
    assert stats["bytes"]["vectors"] >= VECTORS.nbytes
    assert stats["mapped"] is False
    if index.kind == "hnsw":
        assert stats["level_sizes"][0] == 200
        assert 0 < stats["mean_degree"] <= stats["max_degree"] <= 32
    else:
        assert "level_sizes" not in stats


def test_check(index: hopspan.Index) -> None:
    report = index.check()
    assert isinstance(report, hopspan.CheckReport)
    assert report.vectors == 200
    if index.kind == "hnsw":
        assert report.reachable == 200
        assert report.links > 200
    assert index.check(deep=False).vectors == 200


def test_tune(index: hopspan.Index) -> None:
    for table in (index.tune(), index.tune(random_vectors("float32", 30, 8, seed=1), k=5)):
        assert all(isinstance(point, hopspan.TunePoint) for point in table)
        assert all(0 <= point.recall <= 1 and point.effort >= 1 and point.qps > 0 for point in table)
        assert [point.effort for point in table] == sorted(point.effort for point in table)
        assert table[-1].recall > 0.99


def test_tune_tells_what_codes_lose_from_what_the_graph_loses() -> None:
    rng = np.random.default_rng(0)
    spread = rng.standard_normal((3000, 24), dtype=np.float32)
    heaps = 100 * spread[rng.integers(0, 20, 3000)] + rng.standard_normal((3000, 24), dtype=np.float32)
    tables = {}
    for name, vectors, options in (
        ("coarse codes", heaps, {"codes": "sq8"}),
        ("no codes", heaps, {"codes": "none"}),
        ("few links", spread, {"codes": "sq8", "M": 2, "ef_construction": 2}),
    ):
        index = hopspan.Index(24, **options)
        index.add(vectors)
        tables[name] = index.tune()
        for point in tables[name]:
            recall, _, _ = point
            assert recall + point.graph_loss + point.code_loss == pytest.approx(1)
    assert tables["coarse codes"][0].code_loss > 0.1 > tables["coarse codes"][0].graph_loss
    assert all(point.code_loss == 0 for point in tables["no codes"])
    assert tables["few links"][0].graph_loss > 0.1 > tables["few links"][0].code_loss


def test_options_reach_the_graph() -> None:
    vectors = random_vectors("float32", 1000, 16)
    degrees = []
    for m in (4, 32):
        index = hopspan.Index(16, M=m, ef_construction=100)
        index.add(vectors)
        degrees.append(index.stats()["max_degree"])
        assert degrees[-1] <= 2 * m
    assert degrees[0] < degrees[1]


@pytest.mark.parametrize("option", ["extend_candidates", "keep_pruned_connections"])
def test_heuristic_options_change_the_links(option: str) -> None:
    vectors = random_vectors("float32", 600, 8, clusters=6)
    links = []
    for value in (False, True):
        index = hopspan.Index(8, M=6, ef_construction=20, **{option: value})
        index.add(vectors)
        links.append(index.check().links)
    assert links[0] != links[1]


def test_progress_is_told(index: hopspan.Index) -> None:
    told: list[tuple[int, int]] = []
    index.add(random_vectors("float32", 3000, 8), progress=lambda done, total: told.append((done, total)))
    assert all(0 <= done <= total for done, total in told)
    if index.kind == "hnsw":
        assert told
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]


def test_progress_may_cancel() -> None:
    index = hopspan.Index(8)
    index.add(VECTORS)

    def stop(_done: int, _total: int) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        index.add(random_vectors("float32", 3000, 8, seed=1), progress=stop)
    assert len(index) == 200
    assert index.check().reachable == 200
    assert index.add(VECTORS[:1]).tolist() == [200]


def imported(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


MODULES = ("", "._core", "._inputs", ".building", ".durable", ".errors", ".index")


def test_import_brings_little_beyond_numpy() -> None:
    extra = imported("import numpy, hopspan") - imported("import numpy")
    own = {name for name in extra if name.partition(".")[0] == "hopspan"}
    assert own == {f"hopspan{name}" for name in MODULES}
    editable = {"_hopspan_editable", "importlib._abc", "importlib.util"}
    assert extra - own <= {"__future__", *editable}
