"""Graph search: build time, file size, and queries per second at equal recall, one search thread."""

from __future__ import annotations

import math
import time
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bench.peers import PEERS, Peer
from bench.sets import K, Set
from bench.timing import best_of

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = (0.90, 0.95, 0.99)
EFFORTS = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_ENOUGH = 0.9975

Curve = list[tuple[int, float, float]]  # ef, recall, queries per second


def measure(data: Set, names: list[str], threads: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Return for each peer its build seconds, file bytes, curve, and queries per second at the target recalls."""
    peers: dict[str, Peer] = {}
    rows: dict[str, Any] = {}
    for name in names:
        peers[name] = PEERS[name](data.metric, data.vectors.shape[1], threads)
        start = time.perf_counter()
        peers[name].build(data.vectors)
        rows[name] = {"build_seconds": time.perf_counter() - start, "curve": []}
        file = folder / f"{name}.index"
        peers[name].save(file)
        rows[name]["file_bytes"] = file.stat().st_size
        print(f"{name}: built in {rows[name]['build_seconds']:.1f} s", flush=True)
    for ef in EFFORTS:
        open_names = [name for name in names if not rows[name]["curve"] or rows[name]["curve"][-1][1] < _ENOUGH]
        calls = {name: partial(peers[name].search, data.queries, K, ef) for name in open_names}
        for name, seconds in best_of(calls, rounds).items():
            recall = data.recall(peers[name].search(data.queries, K, ef))
            rows[name]["curve"].append((ef, recall, len(data.queries) / seconds))
    for row in rows.values():
        row["qps_at"] = {str(target): qps_at(row["curve"], target) for target in TARGETS}
    return rows


def qps_at(curve: Curve, recall: float) -> float | None:
    """Return the queries per second at a recall, log-linear between the points of the curve; None when not reached."""
    for (_, low, fast), (_, high, slow) in pairwise(curve):
        if low <= recall <= high:
            share = 0.0 if high == low else (recall - low) / (high - low)
            return math.exp((1 - share) * math.log(fast) + share * math.log(slow))
    return curve[0][2] if curve and curve[0][1] >= recall else None


def table(rows: dict[str, Any], data: Set) -> str:
    """Return the figures as a Markdown table, with the ratios of the first peer to each other one."""
    first, *others = rows
    lines = [
        f"| {data.name}, {len(data.vectors):,} x {data.vectors.shape[1]}, {data.metric} | QPS at .90 | at .95 | at .99 "
        "| build s | file bytes a vector |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = [_number(row["qps_at"][str(target)]) for target in TARGETS]
        size = row["file_bytes"] / len(data.vectors)
        lines.append(f"| {name} | {' | '.join(cells)} | {row['build_seconds']:.1f} | {size:.0f} |")
    for name in others:
        ratios = [_ratio(rows[first]["qps_at"][str(t)], rows[name]["qps_at"][str(t)]) for t in TARGETS]
        build = _ratio(rows[first]["build_seconds"], rows[name]["build_seconds"])
        size = _ratio(rows[first]["file_bytes"], rows[name]["file_bytes"])
        lines.append(f"| {first} / {name} | {' | '.join(ratios)} | {build} | {size} |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _ratio(mine: float | None, other: float | None) -> str:
    return "-" if mine is None or other is None else f"{mine / other:.2f}"
