"""A forked child, and a spawned one, can use an index as its parent does."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import hopspan
from reference import random_vectors

FORK = """
import os, sys, warnings, numpy as np, hopspan
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork while other threads exist
rng = np.random.default_rng(0)
vectors = rng.standard_normal((3000, 16), dtype=np.float32)
index = hopspan.Index(16, kind=sys.argv[1], threads=4)
when = sys.argv[2]
index.add(vectors, progress=None)
if when == "after":
    expected = index.search(vectors, 5, ef=30)
children = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        found = index.search(vectors, 5, ef=30)
        status = int(when == "after" and not (found.ids == expected.ids).all())
        index.add(vectors[:500])
        os._exit(status or int(index.check().vectors != 3500))
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
assert len(index) == 3000
assert index.search(vectors, 5, ef=30).ids.shape == (3000, 5)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["hnsw", "flat"])
def test_fork_before_and_after_a_search(kind: str, when: str) -> None:
    subprocess.run([sys.executable, "-c", FORK, kind, when], check=True, timeout=120)


SPAWNED = """
import pickle, sys
index, queries = pickle.load(sys.stdin.buffer)
index.add(queries)
sys.stdout.buffer.write(pickle.dumps(index.search(queries, 5)))
"""


def test_an_index_travels_to_another_process() -> None:
    index = hopspan.Index(16)
    index.add(random_vectors("float32", 500, 16))
    queries = random_vectors("float32", 20, 16, seed=1)
    program = [sys.executable, "-c", SPAWNED]
    done = subprocess.run(program, input=pickle.dumps((index, queries)), stdout=-1, check=True, timeout=120)
    found = pickle.loads(done.stdout)
    assert isinstance(found, hopspan.Neighbors)
    index.add(queries)
    np.testing.assert_array_equal(found.ids, index.search(queries, 5).ids)
