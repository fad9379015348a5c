"""Files of every release since 1 are loaded by every later one, and answer as they did."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import hopspan
from golden_vectors import FILES, FOLDER_NAME, IDS, ROWS, options_of, vectors_of

FOLDER = Path(__file__).parent


def test_every_file_is_listed() -> None:
    assert {path.name for path in FOLDER.glob("*.hopspan")} == set(FILES)


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_load(name: str, mmap: bool) -> None:
    index = hopspan.load(FOLDER / name, mmap=mmap)
    options = options_of(name)
    assert (index.dim, index.metric, index.kind, index.dtype) == tuple(
        options[key] for key in ("dim", "metric", "kind", "dtype")
    )
    assert index.check(deep=True).vectors == ROWS
    ids = IDS if "ids" in name else np.arange(ROWS)
    vectors = vectors_of(name)
    assert (index.get(ids) == vectors).all()
    exact = hopspan.Index(**{key: options[key] for key in ("dim", "metric", "dtype")}, kind="flat")
    exact.add(vectors, ids)
    found, true = index.search(vectors, 5, recall=0.99), exact.search(vectors, 5)
    np.testing.assert_allclose(found.distances, true.distances, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", FILES)
def test_grow(name: str) -> None:
    index = hopspan.load(FOLDER / name)
    new = index.add(vectors_of(name)[:3])
    assert len(index) == ROWS + 3
    assert index.check(deep=True).vectors == ROWS + 3
    assert (index.get(new) == vectors_of(name)[:3]).all()


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
