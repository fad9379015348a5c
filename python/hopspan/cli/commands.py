"""The commands build, search, info and check: a file of vectors or an index in, a file or a few lines out."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

import hopspan
from hopspan.cli.output import Progress, rate, replacing, seconds, size
from hopspan.datasets import read_base, read_queries

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from hopspan.datasets import AnyArray, Dataset, Truth
    from hopspan.options import Options

METRICS = ("l2", "ip", "cosine", "hamming")
KINDS = ("hnsw", "flat")
PROFILES = ("balanced", "fast", "compact")
DTYPES = ("float32", "float16", "bfloat16", "int8", "uint8", "binary")

_QUERIES_AT_ONCE = 1024


def build(arguments: Namespace) -> None:
    """Read vectors, index them and save the index."""
    target: Path = arguments.index
    source = read_base(arguments.source)
    _check_target(target, arguments.source)
    index = _empty_index(arguments, source)
    start = time.perf_counter()
    with Progress(f"building {target.name}") as progress:
        index.add(source.vectors, progress=progress)
    duration = time.perf_counter() - start
    index.save(target)
    print(_title(target, index))
    print(f"built in {seconds(duration)}, {rate(len(index), duration)}; the file takes {size(target.stat().st_size)}")


def search(arguments: Namespace) -> None:
    """Answer a file of queries."""
    if arguments.show < 0:
        raise ValueError(f"--show is {arguments.show}; it must be at least 0")
    if arguments.out is not None:
        _check_target(arguments.out, arguments.index, arguments.queries)
    queries = read_queries(arguments.queries)
    index = _open(arguments.index)
    found, duration = _search_in_batches(index, queries.vectors, arguments)
    if arguments.out is not None:
        with replacing(arguments.out) as file:
            np.savez(file, ids=found.ids, distances=found.distances)
    _print_table(found, arguments.show)
    count, k = found.ids.shape
    print(f"{count:,} queries, k={k}: {rate(count, duration)}")
    if queries.truth is not None:
        print(_recall(found.ids, queries.truth, len(index)))


def info(arguments: Namespace) -> None:
    """Print an index's figures."""
    path: Path = arguments.index
    index = _open(path, verify=False)
    stats = index.stats()
    file_bytes = sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size
    if arguments.json:
        about = {name: getattr(index, name) for name in ("kind", "dim", "metric", "dtype")}
        print(json.dumps({"path": str(path), "file_bytes": file_bytes, **about, **stats}, indent=2))
        return
    print(_title(path, index))
    rows = [("file", size(file_bytes))]
    if "log" in stats:
        log = stats["log"]
        rows = [("files", f"{size(file_bytes)}, generation {log['generation']}")]
        rows += [("  snapshot", size(log["snapshot_bytes"])), ("  log", size(log["log_bytes"]))]
    rows += [(f"  {part}", size(count)) for part, count in stats["bytes"].items()]
    if index.kind == "hnsw":
        rows.append(("levels", ", ".join(f"{count:,}" for count in stats["level_sizes"])))
        rows.append(("links", f"{stats['mean_degree']:.1f} a vector on level 0, at most {stats['max_degree']}"))
        rows.append(("walked on", {"none": "the vectors"}.get(stats["codes"], f"codes, {stats['codes']}")))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")


def check(arguments: Namespace) -> None:
    """Verify an index file, or raise CorruptIndexError."""
    index = _open(arguments.index, verify=False)  # check reads every byte itself
    report = index.check(deep=not arguments.shallow)
    print(_title(arguments.index, index))
    links = f", {report.links:,} links" if index.kind == "hnsw" else ""
    reachable = "" if arguments.shallow or index.kind == "flat" else f", {report.reachable:,} vectors within reach"
    print(f"sound: every checksum holds{links}{reachable}")


def _open(path: Path, *, verify: bool = True) -> hopspan.Index:
    """Open the index in a file, or the one in a folder, which is always verified."""
    return hopspan.open(path) if path.is_dir() else hopspan.load(path, verify=verify)


def _check_target(target: Path, *inputs: Path) -> None:
    """Refuse early what would fail only after the work, or destroy an input."""
    if target.is_dir():
        raise ValueError(f"{target} is a folder; it must be the name of a file to write")
    if not target.parent.is_dir():
        raise ValueError(f"{target.parent} is not a folder, so {target.name} cannot be written there")
    if not os.access(target.parent, os.W_OK):
        raise ValueError(f"{target.parent} is not writable, so {target.name} cannot be written there")
    for path in inputs:
        if target.exists() and path.exists() and target.samefile(path):
            raise ValueError(f"{target} is an input and the output; give the output another name")


def _empty_index(arguments: Namespace, source: Dataset) -> hopspan.Index:
    vectors = source.vectors
    is_bits = vectors.dtype.kind == "b"
    metric: Any = arguments.metric or source.metric or ("hamming" if is_bits else "l2")
    dtype: Any = arguments.dtype or ("binary" if metric == "hamming" else _like(vectors))
    dim = vectors.shape[1] if dtype != "binary" or is_bits else vectors.shape[1] * 8
    options: Options = {}
    if arguments.profile is not None:
        options["profile"] = arguments.profile
    if arguments.M is not None:
        options["M"] = arguments.M
    if arguments.ef_construction is not None:
        options["ef_construction"] = arguments.ef_construction
    return hopspan.Index(
        dim, metric, kind=arguments.kind, dtype=dtype, seed=arguments.seed, threads=arguments.threads, **options
    )


def _like(vectors: AnyArray) -> str:
    return vectors.dtype.name if vectors.dtype.name in DTYPES else "float32"


def _search_in_batches(
    index: hopspan.Index, queries: AnyArray, arguments: Namespace
) -> tuple[hopspan.Neighbors, float]:
    """Return the results and the seconds that the searches took."""
    batches = []
    duration = 0.0
    with Progress("searching") as progress:
        for first in range(0, len(queries), _QUERIES_AT_ONCE):
            batch = np.ascontiguousarray(queries[first : first + _QUERIES_AT_ONCE])
            start = time.perf_counter()
            batches.append(
                index.search(batch, arguments.k, recall=arguments.recall, ef=arguments.ef, threads=arguments.threads)
            )
            duration += time.perf_counter() - start
            progress(first + len(batch), len(queries))
    ids, distances = (np.concatenate(part) for part in zip(*batches, strict=True))
    return hopspan.Neighbors(ids, distances), duration


def _print_table(found: hopspan.Neighbors, count: int) -> None:
    shown = min(count, len(found.ids))
    if not shown:
        return
    width = max(len(str(found.ids[:shown].max())), len("id"))
    print(f"{'query':>7}  {'rank':>5}  {'id':>{width}}  distance")
    for query in range(shown):
        for rank, (name, distance) in enumerate(zip(found.ids[query], found.distances[query], strict=True), 1):
            print(f"{query:7}  {rank:5}  {name:{width}}  {distance:.6g}")
    if shown < len(found.ids):
        print(f"    ...  {len(found.ids) - shown:,} more queries")


def _recall(found: AnyArray, truth: Truth, rows: int) -> str:
    k = found.shape[1]
    if k > truth.depth:
        return f"recall unknown: the file has {truth.depth} true neighbours of a query, fewer than k={k}"
    if rows != truth.rows:
        return f"recall unknown: the file's neighbours are among {truth.rows:,} vectors, the index has {rows:,}"
    return f"recall@{k} {truth.recall(found):.4f}"


def _title(path: Path, index: hopspan.Index) -> str:
    unit = "bits" if index.dtype == "binary" else "dimensions"
    return f"{path}: {index.kind}, {len(index):,} vectors of {index.dim:,} {unit}, {index.metric}, {index.dtype}"
