"""Indexes on disk: every kind of source, the memory that a build takes, what is left behind, and searches."""

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import hopspan
from hopspan.building import parse_size
from reference import random_vectors

VECTORS = random_vectors("float32", 3000, 16, clusters=20)
QUERIES = random_vectors("float32", 50, 16, seed=1, clusters=20)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "index.hopspan"
    hopspan.build(VECTORS, path, metric="l2")
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def truth(k: int) -> NDArray[np.int64]:
    exact = hopspan.Index(16, kind="flat")
    exact.add(VECTORS)
    return exact.search(QUERIES, k).ids


def recall(found: NDArray[np.int64]) -> float:
    k = found.shape[1]
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(found, truth(k), strict=True)]))


def batches() -> Iterator[NDArray[np.float32]]:
    for first in range(0, 3000, 700):
        yield VECTORS[first : first + 700]


def as_npy(folder: Path) -> Path:
    np.save(folder / "vectors.npy", VECTORS)
    return folder / "vectors.npy"


def as_fbin(folder: Path) -> Path:
    (folder / "vectors.fbin").write_bytes(struct.pack("<II", *VECTORS.shape) + VECTORS.tobytes())
    return folder / "vectors.fbin"


def as_fortran(folder: Path) -> Path:
    np.save(folder / "fortran.npy", np.asfortranarray(VECTORS))
    return folder / "fortran.npy"


def as_hdf5(folder: Path, **storage: object) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "vectors.hdf5", "w") as file:
        file.create_dataset("train", data=VECTORS, **storage)
    return folder / "vectors.hdf5"


SOURCES = {
    "npy": as_npy,
    "fbin": as_fbin,
    "fortran": as_fortran,
    "hdf5": as_hdf5,
    "hdf5-chunked": lambda folder: as_hdf5(folder, chunks=(500, 16), compression="gzip"),
    "iterator": lambda _: batches(),
    "float64": lambda _: VECTORS.astype(np.float64),
    "list": lambda _: VECTORS.tolist(),
    "memmap": lambda folder: np.load(as_npy(folder), mmap_mode="r")[0:],
    "str": lambda folder: str(as_npy(folder)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_gives_the_same_bytes(name: str, tmp_path: Path, built: Path) -> None:
    source = SOURCES[name](tmp_path)
    before = names(tmp_path)
    hopspan.build(source, tmp_path / "index", metric="l2", threads=1)
    assert (tmp_path / "index").read_bytes() == built.read_bytes()
    assert names(tmp_path) - before == {"index"}


def test_the_rows_of_a_slice_of_a_map(tmp_path: Path) -> None:
    hopspan.build(np.load(as_npy(tmp_path), mmap_mode="r")[100:200], tmp_path / "index")
    index = hopspan.load(tmp_path / "index")
    assert len(index) == 100
    np.testing.assert_array_equal(index.get([7]), VECTORS[107:108])


@pytest.mark.parametrize(
    ("metric", "dtype"), [("cosine", "float16"), ("ip", "int8"), ("l2", "uint8"), ("l2", "bfloat16")]
)
def test_metrics_and_dtypes(metric: str, dtype: str, tmp_path: Path) -> None:
    vectors = random_vectors(dtype, 2000, 16, clusters=20)
    hopspan.build(iter([vectors[:1000], vectors[1000:]]), tmp_path / "index", metric=metric, dtype=dtype)
    index = hopspan.load(tmp_path / "index")
    assert (index.metric, index.dtype, index.kind, len(index)) == (metric, dtype, "spann", 2000)
    if metric != "ip":
        assert (index.search(vectors[:200], k=1).ids[:, 0] == np.arange(200)).mean() > 0.93
    assert index.check().vectors == 2000


def test_search(built: Path) -> None:
    index = hopspan.load(built)
    assert recall(index.search(QUERIES).ids) > 0.92
    assert recall(index.search(QUERIES, recall=0.99).ids) > 0.97
    found = index.search(QUERIES[0], k=3, nprobe=5)
    assert found.ids.shape == (3,)
    reads = index.stats()["reads"]
    assert reads["searches"] == 101
    assert reads["bytes"] == 4096 * reads["pages"] > 4096 * reads["list_pages"] > 0
    assert reads["lists"] > 505
    assert reads["vectors"] >= 101 * 3
    assert reads["computing_us"] > 0
    assert reads["backend"] in {"io_uring", "threads"}
    assert sum(index.stats()["list_sizes"]) >= 3000
    with pytest.raises(ValueError, match="cannot be added to"):
        index.add(VECTORS[:1])


def test_a_cache_saves_reads(built: Path) -> None:
    index = hopspan.load(built, cache=16 * 2**20)
    first = index.search(QUERIES)
    pages = index.stats()["reads"]["pages"]
    second = index.search(QUERIES)
    assert index.stats()["reads"]["pages"] == pages
    np.testing.assert_array_equal(first.ids, second.ids)


def test_reads_by_threads(built: Path) -> None:
    code = f"import hopspan; i = hopspan.load({str(built)!r}); i.search(i.get([1, 2])); print(i.stats()['reads'])"
    environment = {**os.environ, "HOPSPAN_IO": "threads"}
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "'backend': 'threads'" in out.stdout


@pytest.mark.parametrize(
    ("value", "size"), [(5, 5), ("7", 7), ("256MiB", 256 * 2**20), ("1.5 GB", 1_500_000_000), ("64kib", 65536)]
)
def test_sizes(value: int | str, size: int) -> None:
    assert parse_size(value) == size


def test_errors_name_the_value_and_leave_nothing(tmp_path: Path) -> None:
    target = tmp_path / "index"
    bad = VECTORS.copy()
    bad[1234, 5] = np.nan
    for arguments, words in [
        ({"memory": "12 parsecs"}, "12 parsecs"),
        ({"memory": "1MiB"}, "takes at least"),
        ({"kind": "hnsw"}, "'hnsw'"),
        ({"source": bad}, "row 1234 "),
        ({"source": iter([])}, "no vectors"),
        ({"source": iter([VECTORS, VECTORS[:, :8]])}, "from row 3000 on have 8"),
        ({"source": VECTORS[0]}, r"\(16,\)"),
        ({"dtype": "binary", "metric": "hamming", "source": VECTORS > 0}, "binary"),
        ({"list_bytes": 3}, "list_bytes"),
        ({"list_bytes": 0}, "list_bytes must be at least 1, not 0"),
        ({"replicas": 0}, "replicas must be at least 1, not 0"),
        ({"replicas": 9}, "replicas"),
        ({"replicas": -1}, "replicas"),
    ]:
        with pytest.raises(ValueError, match=words):
            hopspan.build(**{"source": VECTORS, "path": target, **arguments})
        assert names(tmp_path) == set()
    with pytest.raises(TypeError, match="unknown option 'M'"):
        hopspan.build(VECTORS, target, M=16)


def test_a_source_that_is_shorter_than_its_header_says(tmp_path: Path) -> None:
    source = as_fbin(tmp_path)
    source.write_bytes(source.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"192,007 bytes; its header says 3,000 x 16"):
        hopspan.build(source, tmp_path / "index")
    assert names(tmp_path) == {"vectors.fbin"}


def test_progress_names_the_phases_and_cancels(tmp_path: Path) -> None:
    phases: list[str] = []
    hopspan.build(VECTORS, tmp_path / "index", progress=lambda phase, done, total: phases.append(phase))
    assert list(dict.fromkeys(phases)) == ["check", "heads", "assign", "group", "write", "calibrate"]

    def stop(phase: str, done: int, total: int) -> None:
        raise KeyError(phase)

    with pytest.raises(KeyError, match="check"):
        hopspan.build(VECTORS, tmp_path / "other", progress=stop)
    assert names(tmp_path) == {"index"}


def test_a_killed_build_goes_on(tmp_path: Path, built: Path) -> None:
    source = as_npy(tmp_path)
    code = f"""
import os, signal, hopspan
def die(phase, done, total):
    if phase == "group":
        os.kill(os.getpid(), signal.SIGKILL)
hopspan.build({str(source)!r}, {str(tmp_path / "index")!r}, progress=die)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "index").exists()
    phases: list[str] = []
    hopspan.build(source, tmp_path / "index", progress=lambda phase, done, total: phases.append(phase))
    assert "heads" not in phases
    assert "assign" not in phases
    assert (tmp_path / "index").read_bytes() == built.read_bytes()
    assert names(tmp_path) == {"vectors.npy", "index"}
