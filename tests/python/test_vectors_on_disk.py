"""An index whose vectors lie on disk answers as one that has them in memory, and takes less of that."""

import os
import pickle
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hopspan
from reference import random_vectors

pytestmark = pytest.mark.skipif(os.name != "posix", reason="temporary files without a name")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc or sets limits of Linux")
COUNT, DIM = 2000, 32
VECTORS = random_vectors("float32", COUNT, DIM)
QUERIES = random_vectors("float32", 50, DIM, seed=1)


def pair(metric: str = "l2", dtype: str = "float32", **options: object) -> tuple[hopspan.Index, hopspan.Index]:
    indexes = (
        hopspan.Index(DIM, metric, dtype=dtype, profile="compact", **options),
        hopspan.Index(DIM, metric, dtype=dtype, **options),
    )
    for index in indexes:
        index.add(VECTORS)
    return indexes


def is_on_disk(index: hopspan.Index) -> bool:
    return "vectors_on_disk" in index.stats()["bytes"]


def assert_alike(disk: hopspan.Index, memory: hopspan.Index) -> None:
    assert is_on_disk(disk)
    assert not is_on_disk(memory)
    for ef in (10, 64):
        for a, b in zip(disk.search(QUERIES, ef=ef), memory.search(QUERIES, ef=ef), strict=True):
            np.testing.assert_array_equal(a, b)
    ids = np.flatnonzero([i in memory for i in range(COUNT + 1000)])
    np.testing.assert_array_equal(disk.get(ids), memory.get(ids))
    assert disk.check() == memory.check()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_answers_are_those_of_memory(metric: str, dtype: str) -> None:
    assert_alike(*pair(metric, dtype))


def test_it_changes_as_in_memory() -> None:
    indexes = pair()
    for index in indexes:
        index.add(VECTORS[:300] + 1)
        index.add(VECTORS[5] + 2)
        index.add(VECTORS[:100] - 1, range(50, 150))
        index.remove(range(200, 400))
        index.add(VECTORS[:200] * 2)
    assert_alike(*indexes)
    for index in indexes:
        index.remove(range(1800))
    assert_alike(*indexes)
    for index in indexes:
        index.remove(range(COUNT + 1000))
        index.add(VECTORS)
    np.testing.assert_array_equal(indexes[0].search(QUERIES).ids, indexes[1].search(QUERIES).ids)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("mmap", [True, False])
def test_a_file_serves_as_well(mmap: bool, verify: bool, tmp_path: Path) -> None:
    disk, memory = pair("cosine")
    disk.save(tmp_path / "index")
    loaded = hopspan.load(tmp_path / "index", mmap=mmap, verify=verify)
    assert_alike(loaded, memory)
    assert pickle.dumps(loaded) == pickle.dumps(disk)
    for index in (loaded, memory):
        index.add(VECTORS[:500] + 1)
    assert_alike(loaded, memory)


def test_pickle_and_folder(tmp_path: Path) -> None:
    disk, memory = pair()
    assert_alike(pickle.loads(pickle.dumps(disk)), memory)
    with hopspan.open(tmp_path / "folder", "a", dim=DIM, profile="compact", sync=False) as folder:
        folder.add(VECTORS)
        folder.compact()
        assert is_on_disk(folder)
        folder.add(VECTORS[0] + 9)
        assert folder.search(VECTORS[0] + 9, 1).ids[0] == COUNT
    reader = hopspan.open(tmp_path / "folder")
    np.testing.assert_array_equal(reader.get(range(COUNT)), VECTORS)


def test_small_ones_and_bytes_stay_in_memory() -> None:
    index = hopspan.Index(DIM, vectors="disk")
    index.add(VECTORS[:500])
    assert not is_on_disk(index)
    index.add(VECTORS[500:])
    assert is_on_disk(index)
    whole = hopspan.Index(DIM, vectors="disk")
    whole.add(np.round(np.abs(VECTORS)))
    assert not is_on_disk(whole)
    whole.add(VECTORS)
    assert is_on_disk(whole)
    np.testing.assert_array_equal(whole.get(range(COUNT, 2 * COUNT)), VECTORS)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"codes": "none"}, "vectors on disk need codes"),
        ({"dtype": "int8"}, "vectors on disk need codes"),
        ({"vectors": "tape"}, "vectors must be one of 'memory', 'disk', not 'tape'"),
        ({"profile": "slow"}, "profile must be one of 'balanced', 'fast', 'compact', not 'slow'"),
    ],
)
def test_what_does_not_go_together(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        hopspan.Index(DIM, **{"vectors": "disk", **options})


@pytest.mark.parametrize("name", ["vectors", "profile"])
def test_names_are_strings(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} must be a string, not int"):
        hopspan.Index(DIM, **{name: 3})


def test_profiles_give_way_to_options() -> None:
    indexes = [hopspan.Index(DIM, profile="fast", ef_construction=50), hopspan.Index(DIM, ef_construction=50)]
    for index in indexes:
        index.add(VECTORS)
    assert pickle.dumps(indexes[0]) == pickle.dumps(indexes[1])
    with pytest.raises(TypeError, match="unknown option 'profile'"):
        hopspan.Index(DIM, kind="flat", profile="fast")


@LINUX
def test_no_room_on_disk_leaves_the_index_as_it_was() -> None:
    program = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import hopspan, pickle
from test_vectors_on_disk import DIM, VECTORS
index = hopspan.Index(DIM, profile="compact")
index.add(VECTORS[:900])
before = pickle.dumps(index)
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, unlimited[1]))
try:
    index.add(VECTORS)
except OSError as error:
    assert error.errno == 27, error
else:
    raise AssertionError("there was room")
assert pickle.dumps(index) == before
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
index.add(VECTORS[:50])
index.check()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_no_folder_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    index = hopspan.Index(DIM, profile="compact")
    index.add(VECTORS[:900])
    with pytest.raises(FileNotFoundError, match="missing"):
        index.add(VECTORS)
    assert len(index) == 900
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    index.add(VECTORS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", ["parent", "child"])
def test_a_fork_does_not_share_what_is_written(writer: str) -> None:
    """Planted bug that turns it red: Spill::shared() is false."""
    index = hopspan.Index(DIM, profile="compact")
    index.add(VECTORS)
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if writer == "child":
                index.remove(range(1000))
                index.add(VECTORS[:1000] + 3, range(1000))
                status = 0 if (index.get(range(1000)) == VECTORS[:1000] + 3).all() else 2
            else:
                os.write(ready[1], b"1")
                os.read(go[0], 1)
                same = (index.get(range(COUNT)) == VECTORS).all()
                status = 0 if same and (index.search(VECTORS[:50], 1).distances == 0).all() else 3
        finally:
            os._exit(status)
    if writer == "parent":
        os.read(ready[0], 1)
        index.remove(range(1000))
        index.add(VECTORS[:1000] + 3, range(1000))
        os.write(go[1], b"1")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    expected = VECTORS if writer == "child" else np.vstack([VECTORS[:1000] + 3, VECTORS[1000:]])
    np.testing.assert_array_equal(index.get(range(COUNT)), expected)
    index.check()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="reads /proc, and counts on what glibc gives back")
def test_a_process_holds_the_parts_and_little_else() -> None:
    """Planted bug that turns it red: release_freed does nothing."""
    program = """
import sys, hopspan, numpy as np
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
vectors = np.random.default_rng(0).standard_normal((20_000, 512), dtype=np.float32)
before = resident()
index = hopspan.Index(512, profile=sys.argv[1], codes="sq8", M=4, ef_construction=10)
index.add(vectors)
index.search(vectors[:200], ef=10)
parts = sum(size for part, size in index.stats()["bytes"].items() if part != "vectors_on_disk")
print(resident() - before, parts)
"""
    for profile, least in (("balanced", 512 * 5), ("compact", 512)):
        done = subprocess.run([sys.executable, "-c", program, profile], capture_output=True, check=True)
        taken, parts = map(int, done.stdout.split())
        assert 20_000 * least < parts < 20_000 * (least + 100)
        assert taken < parts + (5 << 20)
