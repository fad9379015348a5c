"""What replacing does to lists: the whole set twice in random order, and one half of the space by the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import hopspan
from bench.sets import K

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.sets import Set

_PARTS = 20
_PROBES = (8, 16, 32, 64)
_LOOKS = 4  # at recall


class Step(NamedTuple):
    """Rows that go and rows that come, in one step."""

    gone: NDArray[np.int64]
    come: NDArray[np.int64]


def list_churn(data: Set, threads: int) -> dict[str, float]:
    """Return what either does to the sizes of lists, and to recall beside that of lists made afresh."""
    everything = np.arange(len(data.vectors))
    orders = [np.random.default_rng(number).permutation(everything) for number in range(2)]
    parts = [part for order in orders for part in np.array_split(order, _PARTS)]
    figures = _measure("replaced", data, everything, [Step(part, part) for part in parts], threads)
    here, there = _halves(data.vectors)
    steps = list(map(Step, np.array_split(here, _PARTS), np.array_split(there, _PARTS)))
    return figures | _measure("drifted", data, here, steps, threads)


def _halves(vectors: NDArray[np.float32]) -> list[NDArray[np.int64]]:
    """Cut the set across the direction in which it is widest; both halves in random order."""
    some = vectors[:: max(1, len(vectors) // 10_000)]
    direction = np.linalg.svd(some - some.mean(0), full_matrices=False)[2][0]
    order = np.argsort(vectors @ direction)
    return [np.random.default_rng(2).permutation(half) for half in np.array_split(order, 2)]


def _measure(what: str, data: Set, first: NDArray[np.int64], steps: list[Step], threads: int) -> dict[str, float]:
    worn = _build(data, first, threads)
    held = set(first.tolist())
    spread, changed, seconds = _spread(worn), 0, 0.0
    figures: dict[str, float] = {}
    for number, step in enumerate(steps, 1):
        start = time.perf_counter()
        worn.remove(step.gone)
        worn.add(data.vectors[step.come], step.come)
        seconds += time.perf_counter() - start
        changed += len(step.come)
        spread = max(spread, _spread(worn))
        held = (held - set(step.gone.tolist())) | set(step.come.tolist())
        if number * _LOOKS % len(steps) == 0:
            for name, value in _compare(data, worn, np.array(sorted(held)), threads).items():
                figures[f"{what} {number / len(steps):.2f}: {name}"] = value
    worn.check()
    return figures | {f"{what}: vectors a second": changed / seconds, f"{what}: largest list / mean": spread}


def _build(data: Set, rows: NDArray[np.int64], threads: int) -> hopspan.Index:
    index = hopspan.Index(data.vectors.shape[1], data.metric, kind="spann", threads=threads)
    index.add(data.vectors[rows], rows)
    return index


def _spread(index: hopspan.Index) -> float:
    sizes = _sizes(index)
    return float(sizes.max() / sizes.mean())


def _sizes(index: hopspan.Index) -> NDArray[np.int64]:
    return np.asarray(index.stats()["list_sizes"])


def _compare(data: Set, worn: hopspan.Index, rows: NDArray[np.int64], threads: int) -> dict[str, float]:
    """Return the recall of new lists, and the worn ones' beside it, with as many lists and with as many entries."""
    fresh = _build(data, rows, threads)
    exact = hopspan.Index(data.vectors.shape[1], data.metric, kind="flat")
    exact.add(data.vectors[rows], rows)
    limits = exact.search(data.queries, K).distances[:, -1:]

    def recall(index: hopspan.Index, probes: int) -> float:
        return float((index.search(data.queries, K, nprobe=probes).distances <= limits * (1 + 1e-5) + 1e-6).mean())

    longer = _sizes(worn).mean() / _sizes(fresh).mean()
    figures: dict[str, float] = {}
    for probes in _PROBES:
        made = recall(fresh, probes)
        figures[f"recall, nprobe {probes}, fresh"] = made
        figures[f"recall, nprobe {probes}, worn less"] = recall(worn, probes) - made
        figures[f"recall, as many entries, worn less {probes}"] = recall(worn, max(1, round(probes / longer))) - made
    return figures
