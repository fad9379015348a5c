"""Queries per second at a recall, and which configuration of hopspan stands against which peer."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

TARGETS = (0.90, 0.95, 0.99)
ME = "hopspan"

Row = dict[str, Any]  # build_seconds, memory_bytes, file_bytes, curve
Curve = list[tuple[Any, float, float]]  # effort, recall, queries per second


class Rival(NamedTuple):
    """The configuration of hopspan with the most queries per second beside a peer's."""

    label: str
    ratio: float
    fair: bool  # it holds no more memory than the peer and builds in no more time


def frontier(curve: Curve) -> list[tuple[float, float]]:
    """Return (recall, queries per second) of the efforts that no other one beats in both, by rising recall."""
    kept: list[tuple[float, float]] = []
    for _, recall, qps in sorted(curve, key=lambda point: (-point[1], -point[2])):
        if not kept or qps > kept[-1][1]:
            kept.append((recall, qps))
    return kept[::-1]


def qps_at(curve: Curve, recall: float) -> float | None:
    """Return the queries per second at a recall, log-linear between the frontier's points; None when not reached."""
    points = frontier(curve)
    if not points or points[-1][0] < recall:
        return None
    if points[0][0] >= recall:
        return points[0][1]
    for (low, fast), (high, slow) in pairwise(points):
        if low <= recall <= high:
            share = (recall - low) / (high - low)
            return math.exp((1 - share) * math.log(fast) + share * math.log(slow))
    raise AssertionError("the frontier rises to the recall")


def is_me(label: str) -> bool:
    """Whether a label is one of hopspan's configurations."""
    return label.partition(" ")[0] == ME


def rival(rows: dict[str, Row], peer: str, recall: float) -> Rival | None:
    """Return hopspan's fastest fair configuration against a peer at a recall, or its fastest when none is fair."""
    theirs = qps_at(rows[peer]["curve"], recall)
    found = []
    for label, row in rows.items():
        mine = qps_at(row["curve"], recall) if is_me(label) else None
        if mine is not None and theirs is not None:
            found.append(Rival(label, mine / theirs, _is_fair(row, rows[peer])))
    return max(found, key=lambda entry: (entry.fair, entry.ratio), default=None)


def _is_fair(mine: Row, theirs: Row) -> bool:
    return mine["memory_bytes"] <= theirs["memory_bytes"] and mine["build_seconds"] <= theirs["build_seconds"]
