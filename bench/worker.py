"""A process of its own for each library: it holds one index and measures what it is asked to, over a pipe."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.sets import K

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from bench.peers import Choice, Effort, Peer, Rows
    from bench.sets import Set

_PATIENCE = 10.0  # seconds for an index to go away
_PAGE = os.sysconf("SC_PAGE_SIZE")


class PeerError(Exception):
    """A library raised, or its process died."""


class Worker:
    """The near end of the pipe: one method for each of the far end's answers."""

    def __init__(self, choice: Choice, data: Set, threads: int, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far, choice, data.metric, folder, threads), daemon=True)
        self._process.start()
        far.close()
        self.efforts: Sequence[Effort] = choice.spec.adapter.efforts

    def build(self) -> dict[str, Any]:
        """Build, and return build_seconds, memory_bytes and file_bytes (None where the library has no one file)."""
        return self._ask("build")

    def seconds(self, effort: Effort) -> float:
        """Search all queries once on one thread."""
        return self._ask("seconds", effort)

    def ids(self, effort: Effort) -> np.ndarray:
        """Return what a search finds."""
        return self._ask("ids", effort)

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(_PATIENCE)
        self._process.terminate()

    def _ask(self, *request: Any) -> Any:
        try:
            self._pipe.send(request)
            answer, error = self._pipe.recv()
        except (EOFError, OSError) as gone:
            raise PeerError("its process died") from gone
        if error:
            raise PeerError(error)
        return answer


def share(data: Set, folder: Path) -> None:
    """Write the vectors where every worker maps them, so that the machine holds them once."""
    np.save(folder / "vectors.npy", data.vectors)
    np.save(folder / "queries.npy", data.queries)


def _serve(pipe: Connection, choice: Choice, metric: str, folder: Path, threads: int) -> None:
    vectors = np.load(folder / "vectors.npy", mmap_mode="c").view(np.ndarray)
    queries = np.load(folder / "queries.npy")
    peer = choice.create(metric, vectors.shape[1], threads)
    answers = {
        "build": lambda: _build(peer, vectors, queries),
        "seconds": lambda effort: _timed(lambda: peer.search(queries, K, effort)),
        "ids": lambda effort: peer.search(queries, K, effort),
    }
    while True:
        try:
            name, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((answers[name](*arguments), None))
        except Exception as error:  # whatever the library raises
            traceback.print_exc()
            pipe.send((None, repr(error)))


def _build(peer: Peer, vectors: Rows, queries: Rows) -> dict[str, Any]:
    vectors.sum()  # the rows are in memory before; what the index adds to them counts
    before = _resident()
    seconds = _timed(lambda: peer.build(vectors))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    peer.search(queries[:100], K, peer.efforts[0])  # what a first search allocates belongs to it
    return {"build_seconds": seconds, "memory_bytes": _resident() - before, "file_bytes": _file_bytes(peer)}


def _file_bytes(peer: Peer) -> int | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "index")
        try:
            peer.save(path)
        except NotImplementedError:
            return None
        return path.stat().st_size


def _timed(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
