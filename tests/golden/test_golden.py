"""Files of every release since 1 are loaded by every later one, and answer as they did."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import hopspan
from golden_vectors import (
    CHANGED_FOLDER_NAME,
    DISK_FILE,
    DISK_ROWS,
    FILES,
    FOLDER_NAME,
    IDS,
    REMOVED,
    ROWS,
    disk_vectors,
    options_of,
    rows_of,
    vectors_of,
)

FOLDER = Path(__file__).parent


def test_every_file_is_listed() -> None:
    assert {path.name for path in FOLDER.glob("*.hopspan")} == {*FILES, DISK_FILE}


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_load(name: str, mmap: bool) -> None:
    index = hopspan.load(FOLDER / name, mmap=mmap)
    options = options_of(name)
    assert (index.dim, index.metric, index.kind, index.dtype) == tuple(
        options[key] for key in ("dim", "metric", "kind", "dtype")
    )
    rows = rows_of(name)
    assert index.check(deep=True).vectors == len(index) == len(rows)
    assert index.stats()["removed"] == ROWS - len(rows)
    ids = IDS[rows] if "ids" in name else rows
    vectors = vectors_of(name)[rows]
    assert (index.get(ids) == vectors).all()
    exact = hopspan.Index(**{key: options[key] for key in ("dim", "metric", "dtype")}, kind="flat")
    exact.add(vectors, ids)
    found, true = index.search(vectors, 5, recall=0.99), exact.search(vectors, 5)
    np.testing.assert_allclose(found.distances, true.distances, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", FILES)
def test_grow(name: str) -> None:
    index = hopspan.load(FOLDER / name)
    new = index.add(vectors_of(name)[:3])
    assert len(index) == len(rows_of(name)) + 3
    assert index.check(deep=True).vectors == len(index)
    assert (index.get(new) == vectors_of(name)[:3]).all()


@pytest.mark.parametrize("name", [name for name in FILES if "removed" in name])
def test_free_places_are_used_again(name: str) -> None:
    index = hopspan.load(FOLDER / name)
    index.add(vectors_of(name)[list(REMOVED[:-1])], REMOVED[:-1])
    assert index.stats()["removed"] == 1
    assert index.check(deep=True).vectors == ROWS - 1


def test_lists_on_disk() -> None:
    index = hopspan.load(FOLDER / DISK_FILE)
    vectors = disk_vectors()
    assert (index.kind, index.metric, index.dtype, index.dim) == ("spann", "cosine", "float32", vectors.shape[1])
    assert index.check(deep=True).vectors == len(index) == DISK_ROWS
    assert (index.get(np.arange(DISK_ROWS)) == vectors).all()
    exact = hopspan.Index(vectors.shape[1], "cosine", kind="flat")
    exact.add(vectors)
    true = exact.search(vectors, 5)
    found = index.search(vectors, 5, nprobe=len(index.stats()["list_sizes"]))
    np.testing.assert_allclose(found.distances, true.distances, rtol=1e-5, atol=1e-6)
    assert (index.search(vectors, 5, recall=0.9).distances <= true.distances[:, -1:] + 1e-6).mean() > 0.85


def test_folder(tmp_path: Path) -> None:
    vectors = vectors_of(FOLDER_NAME)
    reader = hopspan.open(FOLDER / FOLDER_NAME)
    assert (reader.get(IDS) == vectors).all()
    assert reader.recovery[1:] == (ROWS // 2, 2, ROWS // 2, 0, 0)
    shutil.copytree(FOLDER / FOLDER_NAME, tmp_path / "index")
    with hopspan.open(tmp_path / "index", "a", **options_of(FOLDER_NAME)) as writer:
        assert writer.check().vectors == ROWS
        writer.add(vectors[:3])
        assert writer.search(vectors[5], 1).ids[0] == IDS[5]
    assert len(hopspan.open(tmp_path / "index")) == ROWS + 3


def test_folder_with_removals(tmp_path: Path) -> None:
    vectors = vectors_of(CHANGED_FOLDER_NAME)
    shutil.copytree(FOLDER / CHANGED_FOLDER_NAME, tmp_path / "index")
    for mode in ("r", "a"):
        with hopspan.open(tmp_path / "index", mode) as index:
            assert index.recovery[1:] == (ROWS // 2, 4, ROWS // 2 + 1, 0, 0)
            assert IDS[1] not in index
            assert (index.get(IDS[2:]) == vectors[2:]).all()
            assert (index.get(IDS[0]) == vectors[-1]).all()
            assert index.check(deep=True).vectors == ROWS - 1
