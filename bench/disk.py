"""An index of lists on disk: its build within a budget of memory, and what its searches read, wait for and hold."""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import hopspan
from bench.frontier import TARGETS
from bench.sets import K

if TYPE_CHECKING:
    from bench.sets import Set

_BUDGET = 4  # raw vectors over the memory of a build
_WARM = 100
_IN_FLIGHT = 4


def disk(data: Set, threads: int, folder: Path, options: dict[str, Any]) -> dict[str, float]:
    """Return the figures of a build and, for each target, those of single queries on one processor."""
    np.save(folder / "vectors.npy", data.vectors)
    raw = data.vectors.nbytes
    figures = _apart(_build, folder, data.metric, threads, {"memory": raw // _BUDGET, **options})
    figures["file / raw"] = (folder / "index").stat().st_size / raw
    for target in TARGETS:
        found, ids = _apart(_search, folder, data.queries, target)
        figures[f"{target} recall"] = data.recall(ids)
        figures |= {f"{target} {name}": value for name, value in found.items()}
        figures[f"{target} resident / raw"] = figures.pop(f"{target} resident") / raw
    return figures


def _apart(task: Any, *arguments: Any) -> Any:
    """Call `task` in a process of its own, whose memory is only what it takes; raise BrokenProcessPool if that dies."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(task, *arguments).result()


def _build(folder: Path, metric: str, threads: int, options: dict[str, Any]) -> dict[str, float]:
    before = _status("VmRSS")
    start, processor = time.perf_counter(), time.process_time()
    hopspan.build(folder / "vectors.npy", folder / "index", metric=metric, threads=threads, **options)
    return {
        "build s": time.perf_counter() - start,
        "build processor s": time.process_time() - processor,
        "build peak over the budget MiB": (_status("VmHWM") - before - options["memory"]) / 2**20,
    }


def _search(folder: Path, queries: Any, target: float) -> tuple[dict[str, float], Any]:
    before = _status("VmRSS")
    index = hopspan.load(folder / "index", mmap=True, verify=False)
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(processors)})
    for query in queries[:_WARM]:
        index.search(query, K, recall=target, threads=1)
    reads = index.stats()["reads"]
    microseconds, ids = [], []
    for query in queries:
        start = time.perf_counter()
        ids.append(index.search(query, K, recall=target, threads=1).ids.reshape(-1))
        microseconds.append((time.perf_counter() - start) * 1e6)
    after = index.stats()["reads"]
    per_query = {key: (after[key] - reads[key]) / len(queries) for key in after if isinstance(after[key], int)}
    os.sched_setaffinity(0, processors)
    start = time.perf_counter()
    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        list(pool.map(lambda first: _search_some(index, queries[first::_IN_FLIGHT], target), range(_IN_FLIGHT)))
    rate = len(queries) / (time.perf_counter() - start)
    return {
        **{key: per_query[key] for key in ("pages", "list_pages", "round_trips", "waiting_us") if key in per_query},
        "mean us": float(np.mean(microseconds)),
        "p99 us": float(np.percentile(microseconds, 99)),
        f"queries/s, {_IN_FLIGHT} in flight": rate,
        "resident": _status("VmRSS") - before,
    }, np.stack(ids)


def _search_some(index: Any, queries: Any, target: float) -> None:
    """Search one by one and keep nothing: what stays in memory is the index's."""
    for query in queries:
        index.search(query, K, recall=target, threads=1)


def _status(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
