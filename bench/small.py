"""What is not a graph curve: exact search, one-query calls, saving, loading, importing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import hopspan
from bench.peers import Choice
from bench.sets import K, Set
from bench.timing import best_of

_BATCH = 1000
_CALLS = 2000
_CHUNK = 1 << 20
_ONE_CALL: dict[str, Callable[[Any, np.ndarray], object]] = {
    "hopspan": lambda index, query: index.search(query, K, ef=K),
    "hnswlib": lambda index, query: index.knn_query(query, K),
    "faiss-hnsw": lambda index, query: index.search(query, K),
}


def exact(data: Set, rounds: int) -> dict[str, float]:
    """Return seconds for one exact batch of 1,000 queries on one thread."""
    flats = [Choice.parse('hopspan:{"kind":"flat"}'), Choice.parse('faiss-hnsw:{"factory":"Flat"}')]
    peers = {
        choice.label: choice.create(data.metric, data.vectors.shape[1], 1) for choice in flats if choice.is_installed()
    }
    for peer in peers.values():
        peer.build(data.vectors)
    return best_of(
        {label: lambda peer=peer: peer.search(data.queries[:_BATCH], K, K) for label, peer in peers.items()}, rounds
    )


def call(rounds: int) -> dict[str, float]:
    """Return microseconds for one call with one query on an index of 1,000 x 32, ef = 10."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((1000, 32), dtype=np.float32)
    query = vectors[:1].copy()
    calls = {}
    for label, one in _ONE_CALL.items():
        choice = Choice.parse(label)
        if choice.is_installed():
            peer = choice.create("l2", 32, 1)
            peer.build(vectors)
            peer.search(query, K, K)
            calls[label] = lambda index=peer.index, one=one: _repeat(index, one, query)
    return {label: seconds / _CALLS * 1e6 for label, seconds in best_of(calls, rounds).items()}


def _repeat(index: Any, one: Callable[[Any, np.ndarray], object], query: np.ndarray) -> None:
    for _ in range(_CALLS):
        one(index, query)


def storage(data: Set, rounds: int, folder: Path) -> dict[str, float]:
    """Return seconds to save an index and to write as many bytes with fsync, and what a mapped load reads."""
    index = hopspan.Index(data.vectors.shape[1], data.metric)
    index.add(data.vectors)
    file = folder / "saved.index"
    index.save(file)
    size = file.stat().st_size
    seconds = best_of({"save": lambda: index.save(file), "plain write": lambda: _write(folder / "plain", size)}, rounds)
    _forget(file)
    before = _bytes_read()
    mapped = hopspan.load(file, mmap=True, verify=False)
    read = _bytes_read() - before
    found = mapped.search(data.queries[:100], K, ef=64).ids
    assert (found == index.search(data.queries[:100], K, ef=64).ids).all()
    return {**seconds, "file bytes": float(size), "share read by a mapped load": read / size}


def _write(path: Path, size: int) -> None:
    block = b"\1" * _CHUNK
    with path.open("wb", buffering=0) as file:
        for _ in range(size // _CHUNK):
            file.write(block)
        file.write(block[: size % _CHUNK])
        os.fsync(file.fileno())


def _forget(path: Path) -> None:
    """Drop the file from the page cache."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _bytes_read() -> int:
    with Path("/proc/self/io").open() as file:
        return int(next(line for line in file if line.startswith("read_bytes")).split()[1])


def import_time(rounds: int) -> dict[str, float]:
    """Return milliseconds that importing takes, each in a fresh interpreter."""
    best = {"numpy": float("inf"), "hopspan": float("inf")}
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    for _ in range(rounds):
        for name, before in best.items():
            done = subprocess.run([sys.executable, "-c", code.format(name)], capture_output=True, check=True, text=True)
            best[name] = min(before, float(done.stdout) * 1e3)
    return best


def warm_up() -> None:
    """Let the clock of the processor settle."""
    end = time.perf_counter() + 0.5
    while time.perf_counter() < end:
        pass
