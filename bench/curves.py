"""Recall against queries per second on one search thread, build time and memory, each library in its own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.worker import PeerError, Worker, share

if TYPE_CHECKING:
    from pathlib import Path

    from bench.frontier import Row
    from bench.peers import Choice
    from bench.sets import Set

ENOUGH = 0.9975


class Sitting:
    """The libraries that are measured together; one that fails is reported and leaves."""

    def __init__(self, data: Set, rounds: int) -> None:
        self._data, self._rounds = data, rounds
        self._workers: dict[str, Worker] = {}
        self.rows: dict[str, Row] = {}

    def build(self, choice: Choice, threads: int, folder: Path) -> None:
        """Start the process of a library and let it build."""
        self._workers[choice.label] = worker = Worker(choice, self._data, threads, folder)
        try:
            self.rows[choice.label] = {**worker.build(), "curve": []}
            print(f"{choice.label}: built in {self.rows[choice.label]['build_seconds']:.1f} s", flush=True)
        except PeerError as failure:
            self._leave(choice.label, failure)

    def search(self) -> None:
        """Measure every effort of every library, the n-th of each in turn."""
        efforts = {label: worker.efforts for label, worker in self._workers.items()}
        for step in range(max(map(len, efforts.values()), default=0)):
            turn = {label: efforts[label][step] for label in self._workers if self._goes_on(label, step)}
            best = dict.fromkeys(turn, float("inf"))
            for _ in range(self._rounds):
                for label, effort in turn.items():
                    if label in self._workers:
                        best[label] = min(best[label], self._seconds(label, effort))
            for label in turn.keys() & self._workers.keys():
                recall = self._data.recall(self._workers[label].ids(turn[label]))
                self.rows[label]["curve"].append((turn[label], recall, len(self._data.queries) / best[label]))

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers.values():
            worker.close()

    def _goes_on(self, label: str, step: int) -> bool:
        """Whether a library has another effort, and has not yet found all that there is by raising one number."""
        efforts, curve = self._workers[label].efforts, self.rows[label]["curve"]
        return step < len(efforts) and (isinstance(efforts[step], tuple) or not curve or curve[-1][1] < ENOUGH)

    def _seconds(self, label: str, effort: object) -> float:
        try:
            return self._workers[label].seconds(effort)
        except PeerError as failure:
            self._leave(label, failure)
            return float("inf")

    def _leave(self, label: str, failure: PeerError) -> None:
        print(f"{label}: left out, {failure}", flush=True)
        self.rows.pop(label, None)
        self._workers.pop(label).close()


def measure(data: Set, choices: list[Choice], threads: int, rounds: int, folder: Path) -> dict[str, Row]:
    """Return the rows of the choices that work; searches take turns, so that a change of the machine meets them all."""
    share(data, folder)
    sitting = Sitting(data, rounds)
    try:
        for choice in choices:
            sitting.build(choice, threads, folder)
        sitting.search()
    finally:
        sitting.close()
    return sitting.rows
