"""Removing and replacing vectors of an index in a folder: what is gone stays gone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopspan
from reference import random_vectors

VECTORS = random_vectors("float32", 300, 8)
QUERIES = random_vectors("float32", 20, 8, seed=1)


@pytest.mark.parametrize("kind", ["hnsw", "flat"])
@pytest.mark.parametrize("compacted", [False, True])
def test_removals_and_replacements_stay(kind: Any, compacted: bool, tmp_path: Path) -> None:
    current = np.concatenate([VECTORS[200:250], VECTORS[50:200]])
    held = np.setdiff1d(np.arange(201), range(50, 100))

    def is_right(index: hopspan.DurableIndex) -> None:
        assert len(index) == index.check().vectors == len(held)
        np.testing.assert_array_equal(index.get(held[:-1]), current[held[:-1]])
        assert 60 not in index
        assert np.isin(index.search(QUERIES, 10).ids, held).all()

    with hopspan.open(tmp_path / "index", "a", dim=8, kind=kind) as index:
        reader = hopspan.open(tmp_path / "index")
        index.add(VECTORS[:200])
        if compacted:
            index.compact()
        index.add(VECTORS[200:250], np.arange(50))
        assert reader.refresh()
        assert index.remove(range(50, 100)) == 50
        assert index.remove([60, 61, 7000]) == 0
        index.add(VECTORS[60:61], [60])
        assert index.remove(60) == 1
        assert index.add(VECTORS[250]).tolist() == [200]
        is_right(index)
        assert reader.refresh()
        is_right(reader)
    for mode in ("a", "r"):
        with hopspan.open(tmp_path / "index", mode) as index:
            assert index.recovery.records == 6 + (not compacted)
            is_right(index)
            if mode == "a":
                assert index.remove([]) == 0
                assert index.remove(range(3)) == 3
                index.add(VECTORS[200:203], range(3))
                index.compact()
        if mode == "a":
            is_right(hopspan.open(tmp_path / "index"))
            return
