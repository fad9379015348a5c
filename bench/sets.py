"""The vectors that are measured on: an ann-benchmarks file, or the docstrings of the standard library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import hopspan
from hopspan import datasets
from hopspan.cli.demo import corpus
from hopspan.cli.demo.text_model import TextModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

K = 10
_HELD_OUT = 1000


class Set(NamedTuple):
    """(n, dim) vectors and (q, dim) queries, float32, with the distances of each query's K true nearest."""

    name: str
    metric: str
    vectors: NDArray[np.float32]
    queries: NDArray[np.float32]
    true_distances: NDArray[np.float32]

    def about(self) -> dict[str, Any]:
        """Return what a report says of the set."""
        count, dim = self.vectors.shape
        return {"name": self.name, "metric": self.metric, "count": count, "dim": dim}

    def recall(self, ids: NDArray[np.int64]) -> float:
        """Return the share of found ids that are as near as the true K-th nearest, up to rounding."""
        hits = 0
        for query, found, true in zip(self.queries, ids, self.true_distances, strict=True):
            rows = self.vectors[np.unique(found[found >= 0])]
            near = ((rows - query) ** 2).sum(1) if self.metric == "l2" else 1 - rows @ query
            hits += min(K, int((near <= true[-1] + 1e-3 * max(abs(true[-1]), 1e-3)).sum()))
        return hits / ids.size


def load(path: Path | None, queries: int, rows: int | None = None) -> Set:
    """Read `path`, or embed the docstrings; cosine sets are brought to unit length, so that every library agrees."""
    if path is None:
        name, metric, vectors, asked = _docstrings()
    else:
        base = datasets.read_base(path)
        name, metric = path.stem, base.metric or "l2"
        vectors = np.asarray(base.vectors, np.float32)
        asked = np.asarray(datasets.read_queries(path).vectors[:queries], np.float32)
    vectors, asked = vectors[:rows], asked[:queries]
    if metric == "cosine":
        vectors, asked = _unit(vectors), _unit(asked)
    exact = hopspan.Index(vectors.shape[1], metric, kind="flat")
    exact.add(vectors)
    return Set(name, metric, vectors, asked, exact.search(asked, K).distances)


def _docstrings() -> tuple[str, str, NDArray[np.float32], NDArray[np.float32]]:
    texts = [passage.text for passage in corpus.passages(lambda done, total: None)]
    vectors = TextModel.fit(texts, seed=0).embed(texts)
    vectors = vectors[vectors.any(1)][np.random.default_rng(0).permutation(int(vectors.any(1).sum()))]
    return "docstrings", "cosine", vectors[_HELD_OUT:], vectors[:_HELD_OUT]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.where(norms == 0, 1, norms), np.float32)
