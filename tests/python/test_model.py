"""Random sequences of calls, compared with a dict and brute force."""

import pickle
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import hopspan

DIM = 3
VECTOR = st.lists(st.integers(-8, 8), min_size=DIM, max_size=DIM)
IDS = st.integers(0, 300)


class Model(RuleBasedStateMachine):
    """The held vectors are small integers, so that float32 distances are exact and ties are frequent."""

    @initialize(kind=st.sampled_from(["hnsw", "flat"]), seed=st.integers(0, 5))
    def make(self, kind: str, seed: int) -> None:
        self.create({"kind": kind, "seed": seed, **({"M": 2, "ef_construction": 4} if kind == "hnsw" else {})})
        self.held: dict[int, list[int]] = {}
        self.next_id = 0

    def create(self, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def keep(self, ids: list[int], vectors: list[list[int]]) -> None:
        self.held.update(zip(ids, vectors, strict=True))
        self.next_id = max(self.next_id, *(i + 1 for i in ids), 0)

    @rule(vectors=st.lists(VECTOR, max_size=40))
    def add(self, vectors: list[list[int]]) -> None:
        expected = list(range(self.next_id, self.next_id + len(vectors)))
        assert self.index.add(vectors).tolist() == expected
        if vectors:
            self.keep(expected, vectors)

    @rule(rows=st.dictionaries(IDS, VECTOR, min_size=1, max_size=20))
    def add_with_ids(self, rows: dict[int, list[int]]) -> None:
        assert self.index.add(list(rows.values()), list(rows)).tolist() == list(rows)
        self.keep(list(rows), list(rows.values()))

    @rule(ids=st.lists(IDS, max_size=60))
    def remove(self, ids: list[int]) -> None:
        assert self.index.remove(ids) == len(self.held.keys() & set(ids))
        for item in ids:
            self.held.pop(item, None)

    @rule(vectors=st.lists(VECTOR, min_size=1, max_size=10), bad=st.sampled_from([np.nan, np.inf, -np.inf]))
    def add_with_a_bad_row(self, vectors: list[list[int]], bad: float) -> None:
        with pytest.raises(ValueError, match=f"row {len(vectors)}"):
            self.index.add([*vectors, [0, bad, 0]])

    @rule(queries=st.lists(VECTOR, min_size=1, max_size=4), k=st.integers(1, 12))
    def search(self, queries: list[list[int]], k: int) -> None:
        found = self.index.search(queries, k, ef=max(k, len(self.held)))
        for query, ids, distances in zip(queries, found.ids.tolist(), found.distances.tolist(), strict=True):
            true = sorted((sum((q - v) ** 2 for q, v in zip(query, x, strict=True)), i) for i, x in self.held.items())
            true = true[:k] + [(float("inf"), -1)] * (k - len(true))
            assert distances == [distance for distance, _ in true]
            # Beyond the k-th place there may be more at its distance.
            inner = [pair for pair in true if pair[0] < true[-1][0]]
            assert list(zip(distances, ids, strict=True))[: len(inner)] == inner

    @rule(item=IDS)
    def get(self, item: int) -> None:
        assert (item in self.index) == (item in self.held)
        if item in self.held:
            assert self.index.get(item).tolist() == self.held[item]
        else:
            with pytest.raises(ValueError, match=f"id {item}"):
                self.index.get(item)

    @invariant()
    def holds_what_was_added(self) -> None:
        if hasattr(self, "index"):
            assert len(self.index) == len(self.held)
            report = self.index.check()
            assert report.vectors == report.reachable == len(self.held)


class MemoryModel(Model):
    """Of an index in memory, which is saved and loaded."""

    def create(self, options: dict[str, Any]) -> None:
        self.index = hopspan.Index(DIM, threads=2, **options)

    @rule(mmap=st.booleans(), verify=st.booleans())
    def save_and_load(self, mmap: bool, verify: bool) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "index"
            self.index.save(path)
            self.index = hopspan.load(path, mmap=mmap, verify=verify)

    @rule()
    def pickle(self) -> None:
        self.index = pickle.loads(pickle.dumps(self.index))


class DurableModel(Model):
    """Of an index in a folder, which is opened again, also from what a crash leaves, and followed by a reader."""

    def create(self, options: dict[str, Any]) -> None:
        self.parent = tempfile.TemporaryDirectory()
        self.folder = Path(self.parent.name) / "0"
        self.index = hopspan.open(self.folder, "a", dim=DIM, threads=2, **options)
        self.reader = hopspan.open(self.folder)

    @rule()
    def close_and_open(self) -> None:
        self.index.close()
        self.index = hopspan.open(self.folder, "a")

    @rule()
    def crash(self) -> None:
        copy = self.folder.with_name(str(int(self.folder.name) + 1))
        shutil.copytree(self.folder, copy)
        self.index.close()
        self.folder, self.index, self.reader = copy, hopspan.open(copy, "a"), hopspan.open(copy)

    @rule()
    def compact(self) -> None:
        self.index.compact()

    @rule()
    def follow(self) -> None:
        self.reader.refresh()
        assert len(self.reader) == len(self.held)
        assert self.reader.check().reachable == len(self.held)
        if self.held:
            assert self.reader.get(list(self.held)).tolist() == list(self.held.values())

    def teardown(self) -> None:
        if hasattr(self, "index"):
            self.index.close()
            self.parent.cleanup()


STEPS = settings(stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
TestMemoryModel = MemoryModel.TestCase
TestMemoryModel.settings = settings(STEPS, max_examples=100)
TestDurableModel = DurableModel.TestCase
TestDurableModel.settings = settings(STEPS, max_examples=40)
