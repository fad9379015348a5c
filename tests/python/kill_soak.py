"""Kills a writer again and again and looks for every vector that it had acknowledged.

`python kill_soak.py FOLDER KILLS SEED KIND`; a writer is a forked child, which tells through a pipe which batches were
added, and is killed at a random moment: while it opens, adds from three threads, compacts, closes or recovers.
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
MOST = 3000  # vectors, before the next folder
DONE = struct.Struct("<q")


def vectors_of(ids: np.ndarray) -> np.ndarray:
    """Return the vector of each id, which follows from it."""
    return ((ids[:, None] * 2654435761 + np.arange(DIM) * 40503) % 65521).astype(np.float32)


def ids_of(batch: int) -> np.ndarray:
    """Return the ids of a batch: 1 to 7 of them."""
    return batch * 10 + np.arange(1 + batch % 7)


def write(folder: Path, kind: str, first: int, pipe: int, seed: int) -> None:
    """Add batches until the end."""
    chance = random.Random(seed)
    counter = iter(range(first, sys.maxsize))
    turn = threading.Lock()

    def add(index: hopspan.DurableIndex, batches: int) -> None:
        for _ in range(batches):
            with turn:
                batch = next(counter)
            ids = ids_of(batch)
            index.add(vectors_of(ids), ids)
            os.write(pipe, DONE.pack(batch))

    while True:
        with hopspan.open(folder, "a", dim=DIM, kind=kind, threads=1) as index:
            while chance.random() < 0.8:
                writers = [threading.Thread(target=add, args=(index, chance.randrange(1, 9))) for _ in range(THREADS)]
                for writer in writers:
                    writer.start()
                for writer in writers:
                    writer.join()
                if chance.random() < 0.3:
                    index.compact()


def check(folder: Path, kind: str, acknowledged: set[int], last: int) -> int:
    """Open what a kill has left; return how many vectors there are."""
    if not folder.exists():
        assert not acknowledged
        return 0
    with hopspan.open(folder, "a", dim=DIM, kind=kind, threads=1) as index:
        found = 0
        for batch in range(last + 50):
            ids = ids_of(batch)
            there = [int(name) in index for name in ids]
            assert all(there) or not any(there), f"half of batch {batch}"
            assert there[0] or batch not in acknowledged, f"batch {batch} is lost"
            if there[0]:
                assert (index.get(ids) == vectors_of(ids)).all()
                found += len(ids)
        assert len(index) == found
        assert index.check().vectors == found
        return found


def kill_once(folder: Path, kind: str, first: int, chance: random.Random) -> list[int]:
    """Kill a child after so many calls and a moment; return the batches that it acknowledged."""
    reading, writing = os.pipe()
    seed = chance.randrange(2**32)
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write(folder, kind, first, writing, seed)
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
        return [number for (number,) in DONE.iter_unpack(first_ones + pipe.read())]


def main(root: Path, kills: int, seed: int, kind: str) -> None:
    """Kill writers and check; raise at the first loss."""
    warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork while other threads exist
    chance = random.Random(seed)
    folder, acknowledged, last, total = root / "0", set[int](), 0, 0
    for kill in range(kills):
        done = kill_once(folder, kind, last, chance)
        acknowledged.update(done)
        total += len(done)
        last = max([last, *(number + 1 for number in done)])
        found = check(folder, kind, acknowledged, last)
        last += 50
        if found > MOST:
            shutil.rmtree(folder)
            folder, acknowledged, last = root / str(kill + 1), set(), 0
    print(f"{kills} kills, {total} calls acknowledged, none lost")
    assert total > kills


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
