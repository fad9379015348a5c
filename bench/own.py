"""Claims about hopspan alone: what threads, single adds and instruction sets do to it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

import hopspan
from bench.curves import ENOUGH
from bench.frontier import TARGETS, Curve, qps_at
from bench.peers import WIDTHS
from bench.sets import K, Set
from bench.timing import best_of

if TYPE_CHECKING:
    from pathlib import Path

_ISAS = ("avx512", "avx2", "neon", "scalar")
_SEARCH = """
import sys, time
import numpy as np, hopspan
index, queries = hopspan.load(sys.argv[1]), np.load(sys.argv[2])
times = []
for _ in range(4):  # the first one reads the file
    start = time.perf_counter()
    index.search(queries, 10, ef=64, threads=1)
    times.append(time.perf_counter() - start)
print(min(times))
"""


def threads(data: Set, rounds: int) -> dict[str, float]:
    """Return how many times the queries per second of one thread two threads answer, for one batch."""
    index = _built(data)
    calls = {count: lambda count=count: index.search(data.queries, K, ef=64, threads=count) for count in (1, 2)}
    seconds = best_of({str(count): call for count, call in calls.items()}, rounds)
    return {"two threads / one": seconds["1"] / seconds["2"]}


def adds(data: Set, rounds: int) -> dict[str, float]:
    """Return queries per second after half of the set came by single adds, over those of one bulk build."""
    bulk, mixed = _built(data), hopspan.Index(data.vectors.shape[1], data.metric)
    half = len(data.vectors) // 2
    mixed.add(data.vectors[:half])
    for vector in data.vectors[half:]:
        mixed.add(vector)
    curves: dict[str, Curve] = {"bulk": [], "mixed": []}
    for ef in WIDTHS:
        calls = {
            name: lambda index=index: index.search(data.queries, K, ef=ef, threads=1)  # noqa: B023
            for name, index in (("bulk", bulk), ("mixed", mixed))
        }
        seconds = best_of(calls, rounds)
        for name, call in calls.items():
            curves[name].append((ef, data.recall(call().ids), len(data.queries) / seconds[name]))
        if min(curve[-1][1] for curve in curves.values()) > ENOUGH:
            break
    return {f"half by single adds / bulk at {target}": _ratio(curves, target) for target in TARGETS}


def isa(data: Set, rounds: int, folder: Path) -> dict[str, float]:
    """Return queries per second at ef = 64 with each instruction set that this processor has."""
    _built(data).save(folder / "index")
    np.save(folder / "queries.npy", data.queries)
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name in _ISAS:
            command = [sys.executable, "-c", _SEARCH, str(folder / "index"), str(folder / "queries.npy")]
            environment = {**os.environ, "HOPSPAN_ISA": name}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                best[name] = max(best.get(name, 0.0), len(data.queries) / float(done.stdout))
    return best


def _built(data: Set) -> hopspan.Index:
    index = hopspan.Index(data.vectors.shape[1], data.metric)
    index.add(data.vectors)
    return index


def _ratio(curves: dict[str, Curve], target: float) -> float:
    bulk, mixed = qps_at(curves["bulk"], target), qps_at(curves["mixed"], target)
    return float("nan") if bulk is None or mixed is None else mixed / bulk
