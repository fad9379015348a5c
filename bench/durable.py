"""What it costs to keep every change: synced calls beside the disk's syncs, unsynced ones beside an index in memory."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

import hopspan

if TYPE_CHECKING:
    from pathlib import Path

_WRITERS = 16
_DIM = 128
_BURST = 500  # so many vectors of a graph stay pending
_SUSTAINED = 4096  # and so many have been linked in the end
_SINGLE = 10_000
_LOGGED = {"flat": 25_000, "hnsw": 10_000}  # below what the log grows to before a snapshot
_SYNC_SECONDS = 2.0


def durable(rounds: int, folder: Path) -> dict[str, float]:
    """Return rates of single inserts into an index of kind "hnsw", and of opening what they have left."""
    vectors = np.random.default_rng(0).standard_normal((max(_LOGGED.values()), _DIM), np.float32)
    figures: dict[str, float] = {"syncs/s of a growing file": max(_sync_rate(folder / f"{i}") for i in range(rounds))}
    for count, kind in ((_SUSTAINED, "sustained"), (_BURST, "burst")):
        runs = [_synced(vectors[:count], folder / f"{kind}{i}") for i in range(rounds)]
        rate, per_sync = max(runs)
        figures[f"synced inserts/s, {_WRITERS} threads, {kind}"] = rate
        figures[f"inserts a sync, {kind}"] = per_sync
        figures[f"of the disk's syncs, times that, {kind}"] = rate / per_sync / figures["syncs/s of a growing file"]
    memory, unsynced = _unsynced(vectors, rounds, folder)
    figures |= {"inserts/s in memory": memory, "inserts/s unsynced": unsynced, "of in memory": unsynced / memory}
    for kind in ("flat", "hnsw"):
        figures |= _recovered(vectors, folder / kind, kind)
    return figures


def _sync_rate(path: Path) -> float:
    """Append what a record of a 128-dimensional vector takes and sync, again and again."""
    record = os.urandom(576)
    count = 0
    with path.open("wb", buffering=0) as file:
        start = time.perf_counter()
        while time.perf_counter() < start + _SYNC_SECONDS:
            file.write(record)
            os.fsync(file.fileno())
            count += 1
        return count / (time.perf_counter() - start)


def _synced(vectors: Any, folder: Path) -> tuple[float, float]:
    """Return inserts a second and inserts a sync."""
    with hopspan.open(folder, "a", dim=_DIM, threads=1) as index:
        rows = iter(range(len(vectors)))

        def write() -> None:
            for row in rows:
                index.add(vectors[row])

        threads = [threading.Thread(target=write) for _ in range(_WRITERS)]
        before = index.stats()["log"]["syncs"]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        duration = time.perf_counter() - start
        syncs = index.stats()["log"]["syncs"] - before
    return len(vectors) / duration, len(vectors) / syncs


def _unsynced(vectors: Any, rounds: int, folder: Path) -> tuple[float, float]:
    best = [0.0, 0.0]
    for turn in range(rounds):
        index = hopspan.Index(_DIM, threads=1)
        best[0] = max(best[0], _add_one_by_one(index, vectors))
        path = folder / f"unsynced{turn}"
        with hopspan.open(path, "a", dim=_DIM, sync=False, threads=1) as index:
            best[1] = max(best[1], _add_one_by_one(index, vectors))
    return best[0], best[1]


def _add_one_by_one(index: hopspan.Index, vectors: Any) -> float:
    start = time.perf_counter()
    for row in range(_SINGLE):
        index.add(vectors[row])
    return _SINGLE / (time.perf_counter() - start)


def _recovered(vectors: Any, folder: Path, kind: Any) -> dict[str, float]:
    """Open a folder whose log has single inserts only, and wait until a graph holds them."""
    with hopspan.open(folder, "a", dim=_DIM, kind=kind, sync=False, threads=1) as index:
        for row in range(_LOGGED[kind]):
            index.add(vectors[row])
    start = time.perf_counter()
    reader = hopspan.open(folder)
    opened = time.perf_counter() - start
    while reader.stats()["pending"] > _BURST:
        time.sleep(0.001)
    linked = time.perf_counter() - start
    found = reader.recovery.vectors
    return {f"vectors/s recovered, {kind}": found / opened, f"vectors/s recovered and linked, {kind}": found / linked}
