"""Saving, loading and pickling: what comes back, and what a failed save leaves behind."""

import copy
import os
import pickle
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import hopspan
from reference import PAIR_IDS, PAIRS, assert_same, random_vectors

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc or sets limits of Linux")
POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
VECTORS = random_vectors("float32", 400, 8)
QUERIES = random_vectors("float32", 40, 8, seed=1)


@pytest.fixture(params=["hnsw", "flat"])
def index(request: pytest.FixtureRequest) -> hopspan.Index:
    made = hopspan.Index(8, kind=request.param, seed=5)
    made.add(VECTORS, np.arange(400) * 3)
    return made


def run(program: str, *arguments: object) -> str:
    """Standard output of a Python program that must succeed."""
    command = [sys.executable, "-W", "error", "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize(("metric", "dtype"), PAIRS, ids=PAIR_IDS)
@pytest.mark.parametrize("kind", ["hnsw", "flat"])
def test_round_trip(kind: str, metric: str, dtype: str, mmap: bool, verify: bool, tmp_path: Path) -> None:
    vectors = random_vectors(dtype, 300, 20)
    index = hopspan.Index(20, metric, kind=kind, dtype=dtype)
    ids = index.add(vectors, np.arange(300)[::-1] * 2)
    index.save(tmp_path / "index")
    loaded = hopspan.load(tmp_path / "index", mmap=mmap, verify=verify)
    assert_same(index, loaded, random_vectors(dtype, 30, 20, seed=1))
    np.testing.assert_array_equal(loaded.get(ids), index.get(ids))
    assert loaded.stats()["mapped"] is mmap
    assert loaded.check() == index.check()


@pytest.mark.parametrize("mmap", [True, False])
def test_loaded_index_grows_like_the_original(index: hopspan.Index, mmap: bool, tmp_path: Path) -> None:
    path = tmp_path / "index"
    index.save(path)
    before = path.read_bytes()
    loaded = hopspan.load(path, mmap=mmap)
    more = random_vectors("float32", 200, 8, seed=2)
    assert index.add(more).tolist() == loaded.add(more).tolist() == list(range(1198, 1398))
    assert_same(index, loaded, QUERIES)
    assert loaded.check().vectors == 600
    assert path.read_bytes() == before
    index.save(path)
    loaded.save(tmp_path / "loaded")
    assert path.read_bytes() == (tmp_path / "loaded").read_bytes()


def test_saving_is_repeatable(index: hopspan.Index, tmp_path: Path) -> None:
    for name in ("a", "b"):
        index.save(tmp_path / name)
    hopspan.load(tmp_path / "a").save(tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_paths(index: hopspan.Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("plain", b"bytes", Path("path"), tmp_path / "Größe 图"):
        index.save(path)
        assert len(hopspan.load(path)) == 400


def test_saving_over_the_mapped_file(index: hopspan.Index, tmp_path: Path) -> None:
    path = tmp_path / "index"
    index.save(path)
    mapped = hopspan.load(path)
    other = hopspan.Index(8)
    other.add(VECTORS[:10])
    other.save(path)
    assert_same(mapped, index, QUERIES)
    mapped.save(path)
    assert_same(hopspan.load(path), index, QUERIES)


def test_empty_index(tmp_path: Path) -> None:
    for kind in ("hnsw", "flat"):
        hopspan.Index(8, kind=kind).save(tmp_path / "empty")
        loaded = hopspan.load(tmp_path / "empty")
        assert len(loaded) == 0
        loaded.add(VECTORS)
        assert loaded.check().vectors == 400


def test_calibration_is_kept(tmp_path: Path) -> None:
    index = hopspan.Index(8, M=4, ef_construction=20)
    index.add(random_vectors("float32", 3000, 8))
    index.tune(QUERIES)
    index.save(tmp_path / "index")
    loaded = hopspan.load(tmp_path / "index")
    for target in (0.5, 0.9, 0.99):
        np.testing.assert_array_equal(
            index.search(QUERIES, recall=target).ids, loaded.search(QUERIES, recall=target).ids
        )


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(index: hopspan.Index, protocol: int) -> None:
    assert_same(pickle.loads(pickle.dumps(index, protocol)), index, QUERIES)


def test_pickle_out_of_band(index: hopspan.Index) -> None:
    buffers: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(index, 5, buffer_callback=buffers.append)
    assert len(stream) < 1000
    assert_same(pickle.loads(stream, buffers=buffers), index, QUERIES)


def test_pickle_of_a_mapped_index_is_by_value(index: hopspan.Index, tmp_path: Path) -> None:
    index.save(tmp_path / "index")
    stream = pickle.dumps(hopspan.load(tmp_path / "index"))
    (tmp_path / "index").unlink()
    assert_same(pickle.loads(stream), index, QUERIES)


def test_damaged_pickle(index: hopspan.Index) -> None:
    stream = bytearray(pickle.dumps(index))
    stream[len(stream) // 2] ^= 1
    with pytest.raises(hopspan.CorruptIndexError):
        pickle.loads(bytes(stream))


def test_copies_are_independent(index: hopspan.Index) -> None:
    for duplicate in (copy.copy(index), copy.deepcopy(index)):
        duplicate.add(VECTORS[:1])
        assert len(duplicate) == 401
    assert len(index) == 400


@pytest.mark.parametrize(
    ("name", "error"), [("missing", FileNotFoundError), ("", IsADirectoryError), ("file/below", NotADirectoryError)]
)
@POSIX
def test_no_file_to_load(name: str, error: type[OSError], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(error) as raised:
        hopspan.load(tmp_path / name)
    assert Path(raised.value.filename) == tmp_path / name
    assert raised.value.errno
    assert raised.value.strerror


@pytest.mark.parametrize(
    ("name", "error"), [("missing/index", FileNotFoundError), ("", IsADirectoryError), ("x" * 300, OSError)]
)
@POSIX
def test_no_place_to_save(index: hopspan.Index, name: str, error: type[OSError], tmp_path: Path) -> None:
    with pytest.raises(error) as raised:
        index.save(tmp_path / name)
    assert Path(raised.value.filename) == tmp_path / name
    assert list(tmp_path.iterdir()) == []
    assert len(index) == 400


@POSIX
def test_only_regular_files_are_replaced(index: hopspan.Index) -> None:
    with pytest.raises(OSError, match="/dev/null"):
        index.save("/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("path", [3, None, 1.5])
def test_not_a_path(index: hopspan.Index, path: object) -> None:
    for call in (index.save, hopspan.load):
        with pytest.raises(TypeError, match="PathLike object, not"):
            call(path)


def test_null_character_in_a_path(index: hopspan.Index) -> None:
    for call in (index.save, hopspan.load):
        with pytest.raises(ValueError, match="null character"):
            call("a\0b")


WITHOUT_PERMISSION = """
import os, sys, numpy as np, hopspan
folder = sys.argv[1]
index = hopspan.Index(4)
index.add(np.eye(4))
if os.geteuid() == 0:  # whom no permission stops
    os.setuid(65534)
for call, path in ((index.save, "closed/index"), (hopspan.load, "unreadable")):
    try:
        call(os.path.join(folder, path))
    except PermissionError as error:
        assert error.filename == os.path.join(folder, path), error
    else:
        sys.exit(f"{path} was no obstacle")
"""


@POSIX
def test_without_permission(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("open")
    opened = [folder for folder in (root, *root.parents) if folder.owner() == root.owner() and folder != Path("/")]
    modes = {folder: folder.stat().st_mode for folder in opened if "pytest" in folder.name}
    for folder, mode in modes.items():
        folder.chmod(mode | 0o555)
    try:
        (root / "closed").mkdir(mode=0o555)
        (root / "unreadable").write_bytes(b"secret")
        (root / "unreadable").chmod(0)
        run(WITHOUT_PERMISSION, root)
        assert list((root / "closed").iterdir()) == []
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode)


DISK_FULL = """
import errno, resource, signal, sys, numpy as np, hopspan
path, limit = sys.argv[1], int(sys.argv[2])
index = hopspan.Index(64)
index.add(np.random.default_rng(0).standard_normal((500, 64)))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    index.save(path)
except OSError as error:
    assert error.errno == errno.EFBIG, error
    assert error.filename == path, error
else:
    sys.exit("the file fitted")
assert index.check().vectors == 500
"""


@LINUX
@pytest.mark.parametrize("limit", [0, 1, 100, 4096, 100_000])
def test_full_disk(index: hopspan.Index, limit: int, tmp_path: Path) -> None:
    path = tmp_path / "index"
    index.save(path)
    before = path.read_bytes()
    run(DISK_FULL, path, limit)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saving_from_many_threads(index: hopspan.Index, tmp_path: Path) -> None:
    path = tmp_path / "index"
    index.save(path)
    with ThreadPoolExecutor(8) as pool:
        saves = [pool.submit(index.save, path) for _ in range(20)]
        loads = [pool.submit(hopspan.load, path) for _ in range(40)]
        assert all(save.result() is None for save in saves)
        assert all(len(load.result()) == 400 for load in loads)
    assert list(tmp_path.iterdir()) == [path]


MAPPED = """
import re, sys, numpy as np, hopspan

def mapped(path):
    sizes, ours = {}, False
    with open("/proc/self/smaps") as smaps:
        for line in smaps:
            if re.match(r"[0-9a-f]+-", line):
                ours = line.rstrip().endswith(path)
            elif ours and line.split()[-1] == "kB":
                name, size = line.split()[:2]
                sizes[name] = sizes.get(name, 0) + int(size)
    return sizes
"""
SHARED = """
index = hopspan.load(sys.argv[1])
print(index.search(np.load(sys.argv[2]), 5).ids.tolist())
sizes = mapped(sys.argv[1])
assert sizes["Rss:"] > 0, sizes
assert sizes["Private_Dirty:"] == sizes["Anonymous:"] == 0, sizes
"""


@LINUX
def test_mapped_pages_are_shared_by_processes(index: hopspan.Index, tmp_path: Path) -> None:
    index.save(tmp_path / "index")
    np.save(tmp_path / "queries.npy", QUERIES)
    expected = str(index.search(QUERIES, 5).ids.tolist())
    for _ in range(2):
        assert run(MAPPED + SHARED, tmp_path / "index", tmp_path / "queries.npy").strip() == expected


LAZY = """
index = hopspan.load(sys.argv[1], verify=False)
sizes = mapped(sys.argv[1])
assert sizes["Rss:"] < 0.02 * sizes["Size:"], sizes
assert index.search(index.get([7]), 1).ids[0, 0] == 7
"""


@LINUX
def test_without_verification_pages_are_read_when_needed(tmp_path: Path) -> None:
    index = hopspan.Index(1024, kind="flat")
    index.add(np.random.default_rng(0).standard_normal((8000, 1024), dtype=np.float32))
    index.save(tmp_path / "index")
    run(MAPPED + LAZY, tmp_path / "index")
