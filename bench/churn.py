"""What months of replacing do: the whole set removed and added again twice, a twentieth at a time in random order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.peers import Choice
from bench.sets import K, Set
from bench.timing import best_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_PASSES = 2
_PARTS = 20
_WIDTHS = (16, 32, 64, 128)


def churn(data: Set, threads: int, rounds: int) -> dict[str, float]:
    """Return replacements a second, and recall and speed at equal ef over those of an index made afresh."""
    fresh, worn = (Choice.parse("hopspan").create(data.metric, data.vectors.shape[1], threads) for _ in range(2))
    fresh.build(data.vectors)
    worn.build(data.vectors)
    start = time.perf_counter()
    for some in _order(len(data.vectors)):
        worn.index.remove(some)
        worn.index.add(data.vectors[some], some)
    figures = {"hopspan replaced a second": _PASSES * len(data.vectors) / (time.perf_counter() - start)}
    report = worn.index.check()
    figures["unreachable"] = float(report.vectors - report.reachable)
    for ef in _WIDTHS:
        calls = {
            name: lambda peer=peer, ef=ef: peer.search(data.queries, K, ef)
            for name, peer in (("fresh", fresh), ("worn", worn))
        }
        seconds = best_of(calls, rounds)
        recalls = {name: data.recall(call()) for name, call in calls.items()}
        figures[f"recall at ef {ef}, fresh"] = recalls["fresh"]
        figures[f"recall at ef {ef}, worn less fresh"] = recalls["worn"] - recalls["fresh"]
        figures[f"speed at ef {ef}, worn / fresh"] = seconds["fresh"] / seconds["worn"]
    if Choice.parse("hnswlib").is_installed():
        figures["hnswlib replaced a second"] = _hnswlib(data, threads)
    return figures


def _order(count: int) -> Iterator[NDArray[np.int64]]:
    for number in range(_PASSES):
        yield from np.array_split(np.random.default_rng(number).permutation(count), _PARTS)


def _hnswlib(data: Set, threads: int) -> float:
    """Replace one part by mark_deleted and replace_deleted, which is steady."""
    import hnswlib

    count, dim = data.vectors.shape
    index: Any = hnswlib.Index("l2" if data.metric == "l2" else "ip", dim)
    index.init_index(count, M=16, ef_construction=200, random_seed=1, allow_replace_deleted=True)
    index.add_items(data.vectors, num_threads=threads)
    some = next(_order(count))
    start = time.perf_counter()
    for row in some:
        index.mark_deleted(row)
    index.add_items(data.vectors[some], some + count, num_threads=threads, replace_deleted=True)
    return len(some) / (time.perf_counter() - start)
