"""Kills a writer again and again and looks for every change that it had acknowledged.

`python kill_soak.py FOLDER KILLS SEED KIND`; a writer is a forked child, which tells through a pipe which batches were
added, replaced and removed, and is killed at a random moment: while it opens, changes from three threads, compacts,
closes or recovers.
"""

import os
import random
import shutil
import signal
import struct
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np

import hopspan

DIM = 8
THREADS = 3
MOST = 700  # batches, before the next folder
DONE = struct.Struct("<qq")


def vectors_of(ids: np.ndarray, step: int) -> np.ndarray:
    """Return the vectors of ids at a step, which follow from both."""
    return ((ids[:, None] * 2654435761 + step * 7919 + np.arange(DIM) * 40503) % 65521).astype(np.float32)


def ids_of(batch: int) -> np.ndarray:
    """Return the ids of a batch: 1 to 7 of them."""
    return batch * 10 + np.arange(1 + batch % 7)


def removes(batch: int, step: int) -> bool:
    """Return whether a batch is removed at a step; at every other it is added, or replaced. None follow each other."""
    return step > 0 and (batch + step) % 3 == 0


def write(folder: Path, kind: str, steps: dict[int, int], pipe: int, seed: int) -> None:
    """Take steps with new and known batches until the end; each batch is one thread's at a time."""
    chance = random.Random(seed)
    counter = iter(range(max(steps, default=-1) + 1, sys.maxsize))
    turn = threading.Lock()

    def take_step(index: hopspan.DurableIndex, mine: dict[int, int], fresh: bool) -> None:
        with turn:
            batch = next(counter) if fresh or not mine else chance.choice(list(mine))
        step = mine.get(batch, -1) + 1
        ids = ids_of(batch)
        if removes(batch, step):
            assert index.remove(ids) == len(ids)
        else:
            index.add(vectors_of(ids, step), ids)
        mine[batch] = step
        os.write(pipe, DONE.pack(batch, step))

    def work(index: hopspan.DurableIndex, mine: dict[int, int], freshness: list[bool]) -> None:
        for fresh in freshness:
            take_step(index, mine, fresh)

    shares = [{batch: step for batch, step in steps.items() if batch % THREADS == share} for share in range(THREADS)]
    while True:
        with hopspan.open(folder, "a", dim=DIM, kind=kind, threads=1) as index:
            while chance.random() < 0.8:
                plans = [[chance.random() < 0.5 for _ in range(chance.randrange(1, 9))] for _ in range(THREADS)]
                writers = [threading.Thread(target=work, args=(index, *one)) for one in zip(shares, plans, strict=True)]
                for writer in writers:
                    writer.start()
                for writer in writers:
                    writer.join()
                if chance.random() < 0.3:
                    index.compact()


def step_of(index: hopspan.DurableIndex, batch: int, acknowledged: int) -> int:
    """Return the step that a batch is at: the one that was acknowledged last, or the next."""
    ids = ids_of(batch)
    there = [int(name) in index for name in ids]
    assert all(there) or not any(there), f"half of batch {batch}"
    for step in (acknowledged, acknowledged + 1):
        gone = step < 0 or removes(batch, step)
        if there[0] != gone and (gone or (index.get(ids) == vectors_of(ids, step)).all()):
            return step
    raise AssertionError(f"step {acknowledged} of batch {batch} is lost")


def check(folder: Path, kind: str, acknowledged: dict[int, int]) -> dict[int, int]:
    """Open what a kill has left; return the step of each batch."""
    if not folder.exists():
        assert not acknowledged
        return {}
    with hopspan.open(folder, "a", dim=DIM, kind=kind, threads=1) as index:
        last = max(acknowledged, default=-1)
        steps = {batch: step_of(index, batch, acknowledged.get(batch, -1)) for batch in range(last + 1 + THREADS)}
        steps = {batch: step for batch, step in steps.items() if step >= 0}
        vectors = sum(len(ids_of(batch)) for batch, step in steps.items() if not removes(batch, step))
        assert len(index) == vectors
        assert index.check().vectors == vectors
        return steps


def kill_once(folder: Path, kind: str, steps: dict[int, int], chance: random.Random) -> list[tuple[int, int]]:
    """Kill a child after so many calls and a moment; return the batches and steps that it acknowledged."""
    reading, writing = os.pipe()
    seed = chance.randrange(2**32)
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write(folder, kind, steps, writing, seed)
        finally:
            os._exit(1)
    os.close(writing)
    wanted = int(chance.choice((0, 10, 60)) * chance.random())
    with os.fdopen(reading, "rb") as pipe:
        first_ones = pipe.read(wanted * DONE.size)
        time.sleep(0.02 * chance.random())
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status), "the writer ended by itself"
        return list(DONE.iter_unpack(first_ones + pipe.read()))


def main(root: Path, kills: int, seed: int, kind: str) -> None:
    """Kill writers and check; raise at the first loss."""
    warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork while other threads exist
    chance = random.Random(seed)
    folder, steps, total = root / "0", dict[int, int](), 0
    for kill in range(kills):
        done = kill_once(folder, kind, steps, chance)
        total += len(done)
        steps = check(folder, kind, steps | dict(done))
        if len(steps) > MOST:
            shutil.rmtree(folder)
            folder, steps = root / str(kill + 1), {}
    print(f"{kills} kills, {total} calls acknowledged, none lost")
    assert total > kills


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
