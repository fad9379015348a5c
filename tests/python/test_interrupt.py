"""Ctrl-C in a long call: KeyboardInterrupt comes while the call works, and the index is as it was."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, threading, numpy as np, hopspan
rng = np.random.default_rng(0)
call, kind = sys.argv[1:]
# Work for a minute or more, which only an interrupt can end in time.
rows, per_call = {"add": (200, 1_000_000), "search": (10_000, 500_000), "tune": (10_000, 500_000)}[call]
index = hopspan.Index(64, kind=kind, M=8, ef_construction=32) if kind == "hnsw" else hopspan.Index(64, kind=kind)
index.add(rng.standard_normal((rows, 64), dtype=np.float32))
before = index.search(np.eye(64), 5, ef=50), bytes(index.__reduce__()[1][0]), len(index)
batch = rng.standard_normal((per_call, 64), dtype=np.float32)
during = []

def interrupt(number, frame):
    try:
        index.stats()
    except RuntimeError:  # the call is not over, so the index cannot be used
        during.append(number)
    signal.default_int_handler(number, frame)

signal.signal(signal.SIGINT, interrupt)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    index.search(batch, 10, ef=2000) if call == "search" else getattr(index, call)(batch)
except KeyboardInterrupt:
    assert during
else:
    sys.exit("the call ended by itself")
after = index.search(np.eye(64), 5, ef=50), bytes(index.__reduce__()[1][0]), len(index)
assert (before[0].ids == after[0].ids).all() and before[1:] == after[1:]
index.check()
assert len(index.add(np.eye(64))) == 64
index.check()
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize(("call", "kind"), [("add", "hnsw"), ("search", "hnsw"), ("search", "flat"), ("tune", "hnsw")])
def test_interrupt(call: str, kind: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM, call, kind], check=True, timeout=300)


HANDLER = """
import signal, numpy as np, hopspan
calls = []

def handler(number, frame):
    calls.append(number)
    raise OverflowError("from the handler")

index = hopspan.Index(64)
batch = np.random.default_rng(0).standard_normal((1_000_000, 64), dtype=np.float32)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    index.add(batch)
except OverflowError:
    assert len(calls) == 1 and len(index) == 0
else:
    raise SystemExit("the handler did not run")
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_any_signal_handler_runs_during_a_call() -> None:
    subprocess.run([sys.executable, "-c", HANDLER], check=True, timeout=300)
