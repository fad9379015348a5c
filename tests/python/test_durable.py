"""An index in a folder from Python: opening, options, modes, errors, and what stays."""

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopspan
from reference import PAIRS, random_vectors

VECTORS = random_vectors("float32", 300, 8)
QUERIES = random_vectors("float32", 20, 8, seed=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with hopspan.open(tmp_path / "index", "a", dim=8, M=8) as index:
        index.add(VECTORS[:100])
    return tmp_path / "index"


def log_of(folder: Path) -> Path:
    (log,) = folder.glob("log-*")
    return log


KINDS = [
    (kind, metric, dtype)
    for kind in ("hnsw", "flat", "spann")
    for metric, dtype in PAIRS
    if (kind, dtype) != ("spann", "binary")
]


@pytest.mark.parametrize(("kind", "metric", "dtype"), KINDS)
def test_what_was_added_stays(kind: Any, metric: Any, dtype: Any, tmp_path: Path) -> None:
    vectors = random_vectors(dtype, 300, 16)
    about = {"metric": metric, "kind": kind, "dtype": dtype}
    direct = hopspan.Index(16, **about)
    with hopspan.open(tmp_path / "index", "a", dim=16, **about) as index:
        ids = np.concatenate([index.add(vectors[:200]), index.add(vectors[200:], np.arange(100) * 5 + 1000)])
        found = index.search(vectors[:10], 3)
    assert direct.add(vectors[:200]).tolist() == ids[:200].tolist()
    direct.add(vectors[200:], ids[200:])
    for mode in ("a", "r", "r"):
        with hopspan.open(tmp_path / "index", mode) as index:
            assert (len(index), index.dim, index.metric, index.kind, index.dtype) == (300, 16, metric, kind, dtype)
            np.testing.assert_array_equal(index.get(ids), direct.get(ids))
            np.testing.assert_array_equal(index.search(vectors[:10], 3).ids[:, 0], found.ids[:, 0])
            assert index.check().vectors == 300
            assert index.recovery.vectors == 300
            if mode == "a":
                assert index.add(vectors[:1]).tolist() == [1496]
                index.compact()
                assert index.stats()["log"]["log_bytes"] == 64
        if mode == "a":
            index = hopspan.open(tmp_path / "index")
            assert index.recovery == (index.recovery.generation, 301, 0, 0, 0, 0)
            return


def test_modes_and_close(folder: Path) -> None:
    reader = hopspan.open(folder)
    assert (reader.mode, reader.path, reader.closed) == ("r", str(folder), False)
    for call in (lambda: reader.add(VECTORS[:1]), lambda: reader.remove(3), reader.flush, reader.compact):
        with pytest.raises(ValueError, match="open for reading"):
            call()
    reader.close()
    reader.close()
    assert reader.closed
    with pytest.raises(ValueError, match="closed"):
        reader.search(QUERIES)
    with pytest.raises(ValueError, match="closed"):
        len(reader)
    assert "closed" in repr(reader)
    assert reader.dim == 8


def test_closed_writer(folder: Path) -> None:
    with hopspan.open(folder, "a") as index:
        assert repr(index).startswith("<hopspan.DurableIndex")
        assert "100 vectors" in repr(index)
    for call in (lambda: index.add(VECTORS[:1]), index.flush, index.compact, index.stats, index.check, index.refresh):
        with pytest.raises(ValueError, match="the index is closed"):
            call()
    assert index.close() is None


def test_one_writer(folder: Path) -> None:
    with hopspan.open(folder, "a"), pytest.raises(hopspan.LockedError, match=f"process {os.getpid()}"):
        hopspan.open(folder, "a")
    hopspan.open(folder, "a").close()


def test_lock_of_another_process(folder: Path) -> None:
    program = "import hopspan, sys; index = hopspan.open(sys.argv[1], 'a'); print(flush=True); input()"
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(hopspan.LockedError, match=f"process {other.pid}"):
            hopspan.open(folder, "a")
        assert len(hopspan.open(folder)) == 100
        other.kill()
    hopspan.open(folder, "a").close()


def test_reader_follows(folder: Path) -> None:
    reader = hopspan.open(folder)
    with hopspan.open(folder, "a") as writer:
        assert not reader.refresh()
        writer.add(VECTORS[100:200])
        assert len(reader) == 100
        assert reader.refresh()
        assert len(reader) == 200
        writer.compact()
        writer.add(VECTORS[200:])
        assert reader.refresh()
        assert not reader.refresh()
        np.testing.assert_array_equal(reader.get(range(300)), VECTORS)
        assert not writer.refresh()


def test_options_must_agree(folder: Path) -> None:
    hopspan.open(
        folder, "a", dim=8, metric="l2", kind="hnsw", dtype="float32", seed=0, M=8, ef_construction=200
    ).close()
    hopspan.open(folder, M=8).close()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"dim": 9}, "dim 8, not 9"),
        ({"metric": "ip"}, "metric l2, not ip"),
        ({"dtype": "int8"}, "dtype float32, not int8"),
        ({"seed": 1}, "seed 0, not 1"),
        ({"M": 9}, "M 8, not 9"),
        ({"codes": "none"}, "codes auto, not none"),
    ]
    for mode in ("a", "r"):
        for options, message in wrong:
            with pytest.raises(ValueError, match=message):
                hopspan.open(folder, mode, **options)
    with pytest.raises(TypeError, match="unknown option 'm'"):
        hopspan.open(folder, "a", m=3)  # type: ignore[call-arg]
    hopspan.open(folder, "a").close()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mode": "w"}, ValueError, "mode must be 'r' or 'a', not 'w'"),
        ({"mode": 1}, TypeError, "mode must be"),
        ({"sync": "yes"}, TypeError, "sync"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"dim": 0}, ValueError, "dim"),
        ({"dim": "8"}, TypeError, "dim"),
        ({"dim": 8, "metric": "hamming"}, ValueError, "hamming"),
        ({"dim": 8, "M": 1}, ValueError, "M must be"),
        ({"dim": 8, "nonsense": 1}, TypeError, "nonsense"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        hopspan.open(tmp_path / "index", **{"mode": "a", **arguments})
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_open(tmp_path: Path) -> None:
    for mode in ("r", "a"):
        with pytest.raises(FileNotFoundError) as raised:
            hopspan.open(tmp_path / "missing", mode)
        assert str(tmp_path / "missing") in str(raised.value.filename)
        assert ("give dim=" in "".join(getattr(raised.value, "__notes__", []))) is (mode == "a")
    with pytest.raises(FileNotFoundError):
        hopspan.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"not empty: it has notes\.txt"):
        hopspan.open(tmp_path, "a", dim=3)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(NotADirectoryError):
        hopspan.open(tmp_path / "notes.txt", "a", dim=3)
    with pytest.raises(NotADirectoryError):
        hopspan.open(tmp_path / "notes.txt")


@pytest.mark.parametrize("path", [3, None, 1.5])
def test_not_a_path(path: Any) -> None:
    with pytest.raises(TypeError, match="PathLike object, not"):
        hopspan.open(path)


def test_not_made_by_hand() -> None:
    with pytest.raises(TypeError, match=r"hopspan\.open"):
        hopspan.DurableIndex()


def test_a_bad_batch_changes_nothing(folder: Path) -> None:
    bad = VECTORS[:5].copy()
    bad[3, 2] = np.nan
    calls: list[tuple[str, Callable[[hopspan.DurableIndex], object]]] = [
        ("row 3", lambda index: index.add(bad)),
        ("500", lambda index: index.add(VECTORS[:2], [500, 500])),
        ("-1", lambda index: index.add(VECTORS[:2], [500, -1])),
        ("id -4", lambda index: index.remove([3, -4])),
        ("1 ids for 2 vectors", lambda index: index.add(VECTORS[:2], [500])),
        ("4 dimensions", lambda index: index.add(VECTORS[:, :4])),
    ]
    with hopspan.open(folder, "a") as index:
        for message, call in calls:
            with pytest.raises(ValueError, match=message):
                call(index)
            assert len(index) == 100
        assert index.add(VECTORS[100:]).tolist() == list(range(100, 300))
    assert len(hopspan.open(folder)) == 300


def test_a_cancelled_call_changes_nothing(folder: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with hopspan.open(folder, "a") as index:
        with pytest.raises(KeyboardInterrupt):
            index.add(VECTORS[100:], progress=stop)
        with pytest.raises(KeyboardInterrupt):
            index.add(VECTORS[100:], range(200), progress=stop)
        assert len(index) == 100
        index.add(VECTORS[100:110])
    reader = hopspan.open(folder)
    assert len(reader) == 110
    np.testing.assert_array_equal(reader.get(range(110)), VECTORS[:110])


def test_a_torn_tail_is_dropped_and_reported(folder: Path) -> None:
    index = hopspan.open(folder, "a")
    index.add(VECTORS[100:110])
    log = log_of(folder)
    copied = {path.name: path.read_bytes() for path in folder.iterdir()}
    index.close()
    for name, content in copied.items():
        (folder / name).write_bytes(content[:-5] if name == log.name else content)
    assert hopspan.open(folder).recovery.dropped_bytes == 40 + 16 + 10 * (8 + 32) - 5
    with hopspan.open(folder, "a") as index:
        assert len(index) == 100
        assert index.recovery.records == 1
        assert index.recovery.dropped_bytes > 0
    assert hopspan.open(folder).recovery.dropped_bytes == 0


def test_damage_is_an_error(folder: Path) -> None:
    for path in [*folder.glob("log-*"), *folder.glob("snapshot-*"), folder / "manifest"]:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        good, _ = path.read_bytes(), path.write_bytes(content)
        for mode in ("r", "a"):
            with pytest.raises(hopspan.CorruptIndexError, match=path.name):
                hopspan.open(folder, mode)
        path.write_bytes(good)
    good = log_of(folder).read_bytes()
    log_of(folder).write_bytes(good[:-8])
    with pytest.raises(hopspan.CorruptIndexError, match="written safely"):
        hopspan.open(folder, "a")
    log_of(folder).write_bytes(good)
    (folder / "manifest").unlink()
    with pytest.raises(hopspan.CorruptIndexError, match="but no manifest"):
        hopspan.open(folder, "a", dim=8)


def test_leftovers_are_taken_away(folder: Path) -> None:
    strays = ["log-0000000099", "snapshot-0000000007.hopspan", "snapshot-0000000008.hopspan.tmp0", "manifest.tmp1"]
    for name in strays:
        (folder / name).write_bytes(b"half")
    assert len(hopspan.open(folder)) == 100
    with hopspan.open(folder, "a") as index:
        assert index.recovery.removed_files == 4
        assert not any((folder / name).exists() for name in strays)


@pytest.mark.parametrize("sync", [True, False])
def test_many_threads(sync: bool, tmp_path: Path) -> None:
    with hopspan.open(tmp_path / "index", "a", dim=8, kind="flat", sync=sync, threads=1) as index:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda row: index.add(VECTORS[row], [row]), range(300)))
        index.flush()
    reader = hopspan.open(tmp_path / "index")
    np.testing.assert_array_equal(reader.get(range(300)), VECTORS)


def test_pickle_goes_by_path(folder: Path) -> None:
    reader = hopspan.open(folder, threads=2)
    again = pickle.loads(pickle.dumps(reader))
    np.testing.assert_array_equal(again.search(QUERIES).ids, reader.search(QUERIES).ids)
    assert (again.mode, again._threads) == ("r", 2)
    assert len(pickle.dumps(reader)) < 1000
    with hopspan.open(folder, "a") as writer:
        for call in (pickle.dumps, copy.copy):
            with pytest.raises(TypeError, match="open for writing"):
                call(writer)


def test_saving_a_copy(folder: Path, tmp_path: Path) -> None:
    with hopspan.open(folder, "a") as index:
        index.save(tmp_path / "copy")
        loaded = hopspan.load(tmp_path / "copy")
        np.testing.assert_array_equal(index.search(QUERIES).ids, loaded.search(QUERIES).ids)
    with pytest.raises(IsADirectoryError):
        hopspan.load(folder)


FORK = """
import os, sys, warnings, hopspan
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork while other threads exist
index = hopspan.open(sys.argv[1], "a", sync=sys.argv[2] == "True")
index.add([[1.0] * 8])
child = os.fork()
if child == 0:
    for call in (lambda: index.search([[0.0] * 8]), lambda: index.add([[1.0] * 8]), index.flush, index.compact):
        try:
            call()
        except RuntimeError as error:
            assert "parent of this process" in str(error)
        else:
            os._exit(1)
    index.close()
    assert len(hopspan.open(sys.argv[1])) == 101
    del index
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
index.add([[2.0] * 8])
index.close()
assert len(hopspan.open(sys.argv[1])) == 102
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("sync", [True, False])
def test_fork(sync: bool, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", FORK, str(folder), str(sync)], check=True, timeout=120)


DISK_FULL = """
import errno, resource, signal, sys, numpy as np, hopspan
index = hopspan.open(sys.argv[1], "a")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
added = 0
try:
    while True:
        index.add(np.ones((20, 8)))
        added += 20
except OSError as error:
    assert error.errno == errno.EFBIG, error
    assert "log-" in error.filename, error
assert len(index) == 100 + added
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
index.add(np.ones((30, 8)))
index.check()
index.close()
print(added)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sets limits of Linux")
def test_full_disk(folder: Path) -> None:
    command = [sys.executable, "-c", DISK_FULL, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert len(hopspan.open(folder)) == 130 + int(done.stdout)
