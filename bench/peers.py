"""One adapter a library. Building uses `threads` threads, searching one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import hopspan

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

M = 16
EF_CONSTRUCTION = 200


class Peer:
    """A graph index of (n, dim) float32 vectors; `flat` makes it an exact one instead."""

    flats: ClassVar[bool] = False

    def __init__(self, metric: str, dim: int, threads: int, *, flat: bool = False) -> None:
        self.metric, self.dim, self.threads, self.flat = metric, dim, threads, flat
        self.index: Any = None

    def build(self, vectors: NDArray[np.float32]) -> None:
        """Build the index."""
        raise NotImplementedError

    def search(self, queries: NDArray[np.float32], k: int, ef: int) -> NDArray[np.int64]:
        """Return (q, k) row numbers."""
        raise NotImplementedError

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        raise NotImplementedError


class Hopspan(Peer):
    """The library at hand."""

    flats = True

    def build(self, vectors: NDArray[np.float32]) -> None:
        options = {} if self.flat else {"M": M, "ef_construction": EF_CONSTRUCTION}
        kind = "flat" if self.flat else "hnsw"
        self.index = hopspan.Index(self.dim, self.metric, kind=kind, threads=self.threads, **options)
        self.index.add(vectors)

    def search(self, queries: NDArray[np.float32], k: int, ef: int) -> NDArray[np.int64]:
        if self.flat:
            return self.index.search(queries, k, threads=1).ids
        return self.index.search(queries, k, ef=ef, threads=1).ids

    def save(self, path: Path) -> None:
        self.index.save(path)


class Hnswlib(Peer):
    """The library of the HNSW paper."""

    def build(self, vectors: NDArray[np.float32]) -> None:
        import hnswlib

        self.index = hnswlib.Index("l2" if self.metric == "l2" else "ip", self.dim)
        self.index.init_index(len(vectors), M=M, ef_construction=EF_CONSTRUCTION, random_seed=1)
        self.index.add_items(vectors, num_threads=self.threads)

    def search(self, queries: NDArray[np.float32], k: int, ef: int) -> NDArray[np.int64]:
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k, num_threads=1)[0].astype("int64")

    def save(self, path: Path) -> None:
        self.index.save_index(str(path))


class Faiss(Peer):
    """IndexHNSWFlat and IndexFlat."""

    flats = True

    def build(self, vectors: NDArray[np.float32]) -> None:
        import faiss

        faiss.omp_set_num_threads(self.threads)
        metric = faiss.METRIC_L2 if self.metric == "l2" else faiss.METRIC_INNER_PRODUCT
        self.index = faiss.index_factory(self.dim, "Flat" if self.flat else f"HNSW{M}", metric)
        if not self.flat:
            self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(vectors)

    def search(self, queries: NDArray[np.float32], k: int, ef: int) -> NDArray[np.int64]:
        import faiss

        faiss.omp_set_num_threads(1)
        if not self.flat:
            self.index.hnsw.efSearch = ef
        return self.index.search(queries, k)[1]

    def save(self, path: Path) -> None:
        import faiss

        faiss.write_index(self.index, str(path))


PEERS: dict[str, type[Peer]] = {"hopspan": Hopspan, "hnswlib": Hnswlib, "faiss": Faiss}
