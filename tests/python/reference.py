"""What an index should hold and find, said again in NumPy float64."""

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

import hopspan

REAL_DTYPES = ("float32", "float16", "bfloat16", "int8", "uint8")
PAIRS = [(metric, dtype) for metric in ("l2", "ip", "cosine") for dtype in REAL_DTYPES] + [("hamming", "binary")]
PAIR_IDS = [f"{metric}-{dtype}" for metric, dtype in PAIRS]


def random_vectors(dtype: str, n: int, dim: int, seed: int = 0, clusters: int | None = None) -> NDArray:
    """Vectors that an index of `dtype` takes, of normally distributed elements or of that many clusters."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dim))
    if clusters is not None:
        x = 0.2 * x + np.random.default_rng(99).standard_normal((clusters, dim))[rng.integers(clusters, size=n)]
    if dtype == "binary":
        return x > 0
    if dtype == "int8":
        return np.clip(np.rint(40 * x), -128, 127).astype(np.int8)
    if dtype == "uint8":
        return np.clip(np.rint(40 * x + 128), 0, 255).astype(np.uint8)
    return x.astype(np.float32)


def stored(vectors: NDArray, dtype: str) -> NDArray:
    """What an index keeps of the vectors, as float64 or as bits."""
    if dtype == "binary":
        return vectors
    return vectors.astype({"bfloat16": ml_dtypes.bfloat16}.get(dtype, dtype)).astype(np.float64)


def distances(metric: str, dtype: str, queries: NDArray, vectors: NDArray) -> NDArray[np.float64]:
    """All distances; only the vectors are rounded to `dtype`, unless it is an integer one."""
    v = stored(vectors, dtype)
    if dtype == "binary":
        return (queries[:, None, :] != v[None, :, :]).sum(axis=2).astype(np.float64)
    q = queries.astype(np.float64)
    if metric == "l2":
        return ((q[:, None, :] - v[None, :, :]) ** 2).sum(axis=2)
    if metric == "cosine":
        q = q / np.linalg.norm(q, axis=1, keepdims=True)
        v = v / np.linalg.norm(v, axis=1, keepdims=True)
    return 1 - q @ v.T


def nearest(all_distances: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """The k nearest columns of each row, ties by column."""
    return np.argsort(all_distances, axis=1, kind="stable")[:, :k]


def recall(found: NDArray[np.int64], true: NDArray[np.int64]) -> float:
    hits = [len(np.intersect1d(a, b)) for a, b in zip(found, true, strict=True)]
    return sum(hits) / true.size


def assert_same(a: hopspan.Index, b: hopspan.Index, queries: NDArray) -> None:
    """Both indexes hold the same and find the same."""
    assert (len(a), a.dim, a.metric, a.kind, a.dtype) == (len(b), b.dim, b.metric, b.kind, b.dtype)
    for left, right in zip(a.search(queries, 5), b.search(queries, 5), strict=True):
        np.testing.assert_array_equal(left, right)
