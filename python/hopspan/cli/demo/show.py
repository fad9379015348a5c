"""The course of the demo, and what it prints."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import hopspan
from hopspan.cli.demo.corpus import passages
from hopspan.cli.demo.search_engine import Library
from hopspan.cli.demo.text_model import TextModel
from hopspan.cli.output import Progress, rate, seconds, size

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hopspan.cli.demo.corpus import Passage

QUESTIONS = (
    "parse a date from a string",
    "compress bytes",
    "walk a directory tree",
    "wait for a thread to finish",
    "split a string into words like the shell",
    "run a command and capture its output",
)
_FEWEST = 20
_K = 10
_MEASURED = 1000
_PASSES = 3
_SEED = 0


def demo(arguments: Namespace) -> None:
    """Build, measure, save and load a search engine; or load one and ask it."""
    questions = arguments.ask or QUESTIONS
    if arguments.load is not None:
        _print_answers(_answers(Library.load(arguments.load), questions))
        return
    if arguments.limit is not None and arguments.limit < _FEWEST:
        raise ValueError(f"--limit is {arguments.limit}; it must be at least {_FEWEST}")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    print(f"A search engine for the documentation of Python {version}'s standard library\n", flush=True)
    texts = _read(arguments.limit)
    library, exact = _build(texts, arguments.threads)
    _measure(library, exact)
    answers = _answers(library, questions)
    _print_answers(answers)
    if arguments.keep is not None:
        _save_and_compare(library, arguments.keep, questions, answers)
        print(f"\nAsk it yourself: {Path(sys.executable).name} -m hopspan demo --load {arguments.keep} --ask '...'")
    else:
        with tempfile.TemporaryDirectory(prefix="hopspan-") as folder:
            _save_and_compare(library, Path(folder), questions, answers)
        print("\nMore: --ask 'a question of your own', --keep FOLDER to stay")


def _read(limit: int | None) -> list[Passage]:
    with _step("read") as notes:
        with Progress("reading") as progress:
            found = passages(progress, limit)
        notes.append(f"{len(found):,} passages about {len({name for name, _ in found}):,} things")
    return found


def _build(texts: list[Passage], threads: int | None) -> tuple[Library, hopspan.Index]:
    with _step("embed") as notes:
        model = TextModel.fit([f"{name} {text}" for name, text in texts], _SEED)
        vectors = model.embed([f"{name} {text}" for name, text in texts])
        notes.append(f"{model.dim} dimensions, learnt from {len(model.vocabulary):,} words")
    exact = hopspan.Index(model.dim, "cosine", kind="flat", threads=threads)
    exact.add(vectors)
    graph = hopspan.Index(model.dim, "cosine", seed=_SEED, threads=threads)
    with _step("index") as notes:
        with Progress("building the graph") as progress:
            graph.add(vectors, progress=progress)
        notes.append(f"a graph of {len(graph):,} vectors, kind={graph.kind!r}, metric={graph.metric!r}")
    return Library(texts, model, graph), exact


def _measure(library: Library, exact: hopspan.Index) -> None:
    """Print recall and speed on the passages' first sentences, which are questions that the index has not seen."""
    stride = max(len(library.passages) // _MEASURED, 1)
    sentences = [text.split(". ")[0] for _, text in library.passages[::stride][:_MEASURED]]
    queries = library.model.embed(sentences)
    queries = queries[queries.any(axis=1)]
    print(f"\n{len(queries):,} questions, {_K} answers to each, one thread:\n")
    print(f"    {'search':<20}  recall@{_K}  questions")
    truth = _print_speed("exact", exact, queries, None, None)
    for recall in (0.9, 0.95, 0.99):
        _print_speed(f"graph, recall={recall}", library.index, queries, recall, truth)
    print()


def _print_speed(
    label: str,
    index: hopspan.Index,
    queries: NDArray[np.float32],
    recall: float | None,
    truth: hopspan.Neighbors | None,
) -> hopspan.Neighbors:
    found = index.search(queries, _K, recall=recall, threads=1)
    durations = []
    for _ in range(_PASSES):
        start = time.perf_counter()
        index.search(queries, _K, recall=recall, threads=1)
        durations.append(time.perf_counter() - start)
    reached = 1.0 if truth is None else recall_by_distance(found.distances, truth.distances)
    print(f"    {label:<20}  {reached:9.3f}  {rate(len(queries), min(durations)):>9}", flush=True)
    return found


def recall_by_distance(found: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """Return the share of results that are as near as the true k-th nearest, up to rounding."""
    return float(np.mean(found <= true[:, -1:] + 1e-5))


def _answers(library: Library, questions: Sequence[str]) -> str:
    return "\n".join(map(library.answer, questions))


def _print_answers(answers: str) -> None:
    print(answers, flush=True)


def _save_and_compare(library: Library, folder: Path, questions: Sequence[str], answers: str) -> None:
    print()
    with _step("save") as notes:
        notes.append(f"{size(library.save(folder))} in {folder}")
    with _step("load") as notes:
        asked = [word for question in questions for word in ("--ask", question)]
        command = [sys.executable, "-X", "utf8", "-m", "hopspan", "demo", "--load", str(folder), *asked]
        done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the new process failed with exit code {done.returncode}")
        if done.stdout.strip() != answers.strip():
            raise RuntimeError(f"the new process gave other answers: {done.stdout}")
        notes.append(f"a new process gives the same answers to all {len(questions)} questions")


@contextmanager
def _step(name: str) -> Iterator[list[str]]:
    """Print one line when the step is done: its name, what the block noted, and how long it took."""
    start = time.perf_counter()
    notes: list[str] = []
    yield notes
    print(f"{name:<6} {', '.join(notes):<70} {seconds(time.perf_counter() - start):>8}", flush=True)
