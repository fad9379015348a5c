"""What the golden files hold: vectors that follow from arithmetic alone."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = 80
DIM = 12
IDS = np.arange(ROWS, dtype=np.int64)[::-1] * 1000 + 7

# format version - kind - metric - dtype, and whether it has ids of its own
FILES = (
    "1-hnsw-l2-float32.hopspan",
    "1-hnsw-cosine-bfloat16-ids.hopspan",
    "1-hnsw-ip-int8.hopspan",
    "1-hnsw-hamming-binary-ids.hopspan",
    "1-flat-l2-uint8-ids.hopspan",
    "1-flat-cosine-float16.hopspan",
    "1-hnsw-cosine-float32-removed.hopspan",
    "1-flat-ip-float32-removed.hopspan",
    "1-hnsw-cosine-float32-bytes.hopspan",
)
# Lists on disk, with a calibration.
DISK_FILE = "1-disk-spann-cosine-float32.hopspan"
DISK_ROWS = 1200
# Those that an index of that name has lost: most together, whose places are free, and the last one on its own, which is
# a waypoint in a graph.
REMOVED = (*range(3, 40, 4), 70)

# Folders with half of the vectors in the snapshot and half in the log; in the second one the log replaces the first
# vector by the last and removes the second.
FOLDER_NAME = "1-folder-hnsw-l2-float32-ids"
CHANGED_FOLDER_NAME = "1-folder-hnsw-l2-float32-ids-removed"


def options_of(name: str) -> dict[str, Any]:
    """Return the arguments of the Index that a file holds."""
    kind, metric, dtype = re.sub(r"(-ids|-removed|-bytes)*(\.hopspan)?$", "", name).split("-")[-3:]
    graph = {"M": 6, "ef_construction": 40} if kind == "hnsw" else {}
    dim = DIM * 8 if dtype == "binary" else DIM
    return {"dim": dim, "metric": metric, "kind": kind, "dtype": dtype, "seed": 3, **graph}


def rows_of(name: str) -> NDArray[np.int64]:
    """Return the rows that a file holds."""
    return np.setdiff1d(np.arange(ROWS), REMOVED if "removed" in name else ())


def disk_vectors() -> NDArray[np.float32]:
    """Return the (DISK_ROWS, DIM) vectors of DISK_FILE."""
    rows, places = np.arange(DISK_ROWS)[:, None], np.arange(DIM)[None, :]
    return ((rows * rows * 7 + rows * 37 + places * 11) * (places + 3) % 1009 - 504).astype(np.float32)


def vectors_of(name: str) -> NDArray[Any]:
    """Return the (ROWS, DIM) vectors that were added, exact in every element type; packed bits for binary."""
    steps = (np.arange(ROWS)[:, None] * 37 + np.arange(DIM)[None, :] * 11) * (np.arange(DIM) + 3) % 101
    if "binary" in name or "uint8" in name:
        return steps.astype(np.uint8)
    return (steps + 1 if "bytes" in name else steps - 50).astype(np.float32)
