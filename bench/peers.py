"""One adapter a library: how it builds an index of (n, dim) float32 rows, and how it searches it on one thread."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Ids = NDArray[np.int64]

Effort = int | tuple[float, ...]
WIDTHS = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)


class Peer:
    """An index by squared Euclidean distance ("l2"), inner product ("ip"), or, of unit vectors, "cosine"."""

    efforts: ClassVar[Sequence[Effort]] = WIDTHS

    def __init__(self, metric: str, dim: int, threads: int, options: dict[str, Any]) -> None:
        self.metric, self.dim, self.threads, self.options = metric, dim, threads, options
        self.index: Any = None

    def name(self, l2: str, ip: str) -> str:
        """Return the library's name of the metric; cosine of unit vectors is their inner product."""
        return l2 if self.metric == "l2" else ip

    def build(self, vectors: Rows) -> None:
        """Build the index."""
        raise NotImplementedError

    def search(self, queries: Rows, k: int, effort: Any) -> Ids:
        """Return (q, k) row numbers, -1 where there is none."""
        raise NotImplementedError

    def save(self, path: Path) -> None:
        """Write the index to one file, where the library can."""
        raise NotImplementedError

    def one_by_one(self, queries: Rows, k: int, search_one: Any) -> Ids:
        """Search where the library takes one query a call."""
        found = np.full((len(queries), k), -1, np.int64)
        for row, query in zip(found, queries, strict=True):
            ids = search_one(query)[:k]
            row[: len(ids)] = ids
        return found


class Hopspan(Peer):
    """The library at hand."""

    def build(self, vectors: Rows) -> None:
        import hopspan

        self.index = hopspan.Index(self.dim, self.metric, threads=self.threads, **self.options)
        self.index.add(vectors)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        width = {} if self.index.kind == "flat" else {"ef": max(effort, k)}
        return self.index.search(queries, k, threads=1, **width).ids

    def save(self, path: Path) -> None:
        self.index.save(path)


class Hnswlib(Peer):
    """The library of the HNSW paper."""

    def build(self, vectors: Rows) -> None:
        import hnswlib

        self.index = hnswlib.Index(self.name("l2", "ip"), self.dim)
        self.index.init_index(len(vectors), random_seed=1, **self.options)
        self.index.add_items(vectors, num_threads=self.threads)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        self.index.set_ef(max(effort, k))
        return self.index.knn_query(queries, k, num_threads=1)[0].astype(np.int64)

    def save(self, path: Path) -> None:
        self.index.save_index(str(path))


class Faiss(Peer):
    """What a string of faiss's index factory describes."""

    def build(self, vectors: Rows) -> None:
        import faiss

        faiss.omp_set_num_threads(self.threads)
        metric = faiss.METRIC_L2 if self.metric == "l2" else faiss.METRIC_INNER_PRODUCT
        self.index = faiss.index_factory(self.dim, self.options["factory"], metric)
        if self.options["factory"].startswith("HNSW"):
            self.index.hnsw.efConstruction = self.options["ef_construction"]
        self.index.train(vectors)
        self.index.add(vectors)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        import faiss

        faiss.omp_set_num_threads(1)
        if self.options["factory"].startswith("HNSW"):
            self.index.hnsw.efSearch = max(effort, k)
        return self.index.search(queries, k)[1]

    def save(self, path: Path) -> None:
        import faiss

        faiss.write_index(self.index, str(path))


class FaissLists(Faiss):
    """Inverted lists of product codes; efforts are lists to visit and how many times k to re-rank."""

    efforts = tuple(product((1, 2, 4, 8, 16, 32, 64, 128), (4, 10, 40)))

    def build(self, vectors: Rows) -> None:
        lists = 1 << round(np.log2(4 * np.sqrt(len(vectors))))
        self.options = {"factory": f"IVF{lists},PQ{self.dim // 2}x4fs,RFlat"}
        super().build(vectors)

    def search(self, queries: Rows, k: int, effort: tuple[int, int]) -> Ids:
        import faiss

        faiss.extract_index_ivf(faiss.downcast_index(self.index.base_index)).nprobe, self.index.k_factor = effort
        return super().search(queries, k, effort)


class Usearch(Peer):
    """Unum's USearch."""

    def build(self, vectors: Rows) -> None:
        from usearch.index import Index

        self.index = Index(ndim=self.dim, metric=self.name("l2sq", "ip"), **self.options)
        self.index.add(np.arange(len(vectors)), vectors, threads=self.threads)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        self.index.expansion_search = max(effort, k)
        return np.asarray(self.index.search(queries, k, threads=1).keys).astype(np.int64)

    def save(self, path: Path) -> None:
        self.index.save(str(path))


class Voyager(Peer):
    """Spotify's Voyager."""

    def build(self, vectors: Rows) -> None:
        import voyager

        space = voyager.Space.Euclidean if self.metric == "l2" else voyager.Space.InnerProduct
        self.index = voyager.Index(space, self.dim, random_seed=1, **self.options)
        self.index.add_items(vectors, num_threads=self.threads)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        return self.index.query(queries, k, num_threads=1, query_ef=max(effort, k))[0].astype(np.int64)

    def save(self, path: Path) -> None:
        self.index.save(str(path))


class Glass(Peer):
    """Zilliz's pyglass: an HNSW graph, searched on quantised vectors and re-ranked."""

    def build(self, vectors: Rows) -> None:
        import glass

        glass.set_num_threads(self.threads)
        metric = self.name("L2", "IP")
        graph = glass.Index("HNSW", metric, self.name("SQ8U", "FP32"), self.options["R"], self.options["L"]).build(
            vectors
        )
        self.index = glass.Searcher(graph, vectors, metric, self.options["quantizer"], "FP32")
        self.index.optimize(1)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        self.index.set_ef(max(effort, k))
        return np.asarray(self.index.batch_search(queries, k, 1)[0]).reshape(len(queries), -1)[:, :k].astype(np.int64)


class Svs(Peer):
    """Intel's Scalable Vector Search: the Vamana graph."""

    def build(self, vectors: Rows) -> None:
        import svs

        metric = svs.DistanceType.L2 if self.metric == "l2" else svs.DistanceType.MIP
        options = svs.VamanaBuildParameters(alpha=1.2 if self.metric == "l2" else 0.95, **self.options)
        self.index = svs.Vamana.build(options, vectors, metric, num_threads=self.threads)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        self.index.num_threads = 1
        self.index.search_window_size = max(effort, k)
        return self.index.search(queries, k)[0].astype(np.int64)


class Vsag(Peer):
    """Ant Group's VSAG: HGraph."""

    def build(self, vectors: Rows) -> None:
        import pyvsag

        about = {"dtype": "float32", "metric_type": self.name("l2", "ip"), "dim": self.dim}
        options = {"build_thread_count": self.threads, "use_reorder": True, **self.options}
        self.index = pyvsag.Index("hgraph", json.dumps({**about, "index_param": options}))
        ids = np.arange(len(vectors))
        self.index.build(vectors=vectors.reshape(-1), ids=ids, num_elements=len(vectors), dim=self.dim)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        options = json.dumps({"hgraph": {"ef_search": max(effort, k)}})
        return self.one_by_one(
            queries, k, lambda query: self.index.knn_search(vector=query, k=k, parameters=options)[0]
        )


class SymphonyQg(Peer):
    """RaBitQ-Library's SymphonyQG."""

    def build(self, vectors: Rows) -> None:
        import rabitqlib

        self.index = rabitqlib.SymqgIndex(self.dim, self.options["degree"], metric=self.name("l2", "ip"))
        self.index.build(vectors, self.options["ef_construction"], num_threads=self.threads)

    def search(self, queries: Rows, k: int, effort: int) -> Ids:
        found = map(np.asarray, self.index.search_batch(queries, k, max(effort, k), num_threads=1))
        return next(part for part in found if np.issubdtype(part.dtype, np.integer)).astype(np.int64)


class NgtQg(Peer):
    """Yahoo Japan's NGT: the quantised graph; efforts are how many times k to re-rank, and epsilon."""

    efforts = tuple(product((1.0, 2.0, 5.0), (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.14)))

    def build(self, vectors: Rows) -> None:
        import ngtpy

        self.folder = tempfile.TemporaryDirectory()
        path = str(Path(self.folder.name, "graph"))
        ngtpy.create(path, self.dim, distance_type=self.name("L2", "Cosine"), **self.options)
        graph = ngtpy.Index(path)
        graph.batch_insert(vectors, num_threads=self.threads)
        graph.save()
        graph.close()
        for command in (["create-qg"], ["build-qg", "-o", str(len(vectors)), "-E", "64"]):
            subprocess.run(["qbg", *command, path], check=True, stdout=subprocess.DEVNULL)
        self.index = ngtpy.QuantizedIndex(path, 3.0)
        self.index.set_with_distance(False)

    def search(self, queries: Rows, k: int, effort: tuple[float, float]) -> Ids:
        self.index.set(epsilon=effort[1], result_expansion=effort[0])
        return self.one_by_one(queries, k, lambda query: self.index.search(query, k))


class Scann(Peer):
    """Google's ScaNN: a tree of partitions; efforts are leaves to visit and candidates to re-rank."""

    efforts = tuple(product((2, 4, 8, 16, 32, 64, 128, 256), (20, 60, 200)))

    def build(self, vectors: Rows) -> None:
        import scann

        leaves = int(np.sqrt(len(vectors)) * 2)
        builder = scann.scann_ops_pybind.builder(vectors, 10, self.name("squared_l2", "dot_product"))
        builder = builder.set_n_training_threads(self.threads)
        sample = min(len(vectors), 100 * leaves)
        builder = builder.tree(leaves, 20, training_sample_size=sample, spherical=self.metric == "cosine")
        threshold = float("nan") if self.metric == "l2" else 0.2
        self.index = builder.score_ah(2, anisotropic_quantization_threshold=threshold).reorder(200).build()

    def search(self, queries: Rows, k: int, effort: tuple[int, int]) -> Ids:
        leaves, candidates = effort
        ids, _ = self.index.search_batched(
            queries, final_num_neighbors=k, leaves_to_search=leaves, pre_reorder_num_neighbors=candidates
        )
        return ids.astype(np.int64)


class Spec(NamedTuple):
    """What a peer of the command line is: an adapter, the module it needs, and the options it builds with."""

    adapter: type[Peer]
    module: str
    options: dict[str, Any]


_HNSW = {"M": 16, "ef_construction": 200}
_USEARCH = {"connectivity": 16, "expansion_add": 200}
_VSAG = {"base_quantization_type": "sq8_uniform", "precise_quantization_type": "fp32"}
PEERS = {
    "hopspan": Spec(Hopspan, "hopspan", {}),
    "hnswlib": Spec(Hnswlib, "hnswlib", _HNSW),
    "hnswlib-32": Spec(Hnswlib, "hnswlib", {"M": 32, "ef_construction": 300}),
    "faiss-hnsw": Spec(Faiss, "faiss", {"factory": "HNSW32", "ef_construction": 200}),
    "faiss-hnsw-sq8": Spec(Faiss, "faiss", {"factory": "HNSW32_SQ8", "ef_construction": 200}),
    "usearch-f32": Spec(Usearch, "usearch", {"dtype": "f32", **_USEARCH}),
    "usearch-bf16": Spec(Usearch, "usearch", {"dtype": "bf16", **_USEARCH}),
    "usearch-i8": Spec(Usearch, "usearch", {"dtype": "i8", **_USEARCH}),
    "voyager": Spec(Voyager, "voyager", _HNSW),
    "glass-sq8u": Spec(Glass, "glass", {"quantizer": "SQ8U", "R": 32, "L": 200}),
    "glass-sq4u": Spec(Glass, "glass", {"quantizer": "SQ4U", "R": 32, "L": 200}),
    "svs-vamana": Spec(Svs, "svs", {"graph_max_degree": 64, "window_size": 128}),
    "vsag": Spec(Vsag, "pyvsag", {"max_degree": 32, "ef_construction": 300, **_VSAG}),
    "symqg-32": Spec(SymphonyQg, "rabitqlib", {"degree": 32, "ef_construction": 300}),
    "symqg-64": Spec(SymphonyQg, "rabitqlib", {"degree": 64, "ef_construction": 400}),
    "ngt-qg": Spec(NgtQg, "ngtpy", {"edge_size_for_creation": 100, "edge_size_for_search": 0}),
    "scann": Spec(Scann, "scann", {}),
    "faiss-ivf": Spec(FaissLists, "faiss", {}),
}


class Choice(NamedTuple):
    """A peer as the command line asks for it: NAME or NAME:{"option": value, ...}."""

    label: str
    spec: Spec

    @classmethod
    def parse(cls, text: str) -> Choice:
        """Return what `text` names, options over the peer's own; the label says which ones."""
        name, _, options = text.partition(":")
        if name not in PEERS:
            raise ValueError(f"no peer {name!r}; there are {', '.join(PEERS)}")
        given = json.loads(options) if options else {}
        label = " ".join([name, *(f"{key}={value}" for key, value in given.items())])
        return cls(label, PEERS[name]._replace(options={**PEERS[name].options, **given}))

    def is_installed(self) -> bool:
        """Whether the library can be imported."""
        return importlib.util.find_spec(self.spec.module) is not None

    def create(self, metric: str, dim: int, threads: int) -> Peer:
        """Return the adapter, nothing built."""
        return self.spec.adapter(metric, dim, threads, self.spec.options)
