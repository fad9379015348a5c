"""Best-of-several timing of rivals in turn, so that a change of the machine's speed meets all of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def best_of(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the seconds of each call's fastest run; every round runs each call once."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best
