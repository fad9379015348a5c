"""The words that each command takes, and their help."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hopspan
from hopspan.cli import commands
from hopspan.cli.demo import show
from hopspan.datasets import SUFFIXES

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction
    from collections.abc import Callable, Sequence

    Commands = _SubParsersAction["Parser"]

PROGRAM = "python -m hopspan"
FILES = ", ".join(SUFFIXES)


class Parser(ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"hopspan: {message} (see {self.prog} --help)\n")


def parse(words: Sequence[str] | None = None) -> Namespace:
    """Return the arguments; their `run` is the command's function. Exits with 2 when they make no sense."""
    parser = Parser(
        prog=PROGRAM,
        description="Approximate nearest-neighbour search on files of vectors.",
        epilog=f"Vectors come from {FILES} files. '{PROGRAM} COMMAND --help' says more.",
    )
    parser.add_argument("--version", action="version", version=f"hopspan {hopspan.__version__}")
    parsers = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_build(parsers)
    _add_search(parsers)
    _add_info(parsers)
    _add_check(parsers)
    _add_demo(parsers)
    return parser.parse_args(words)


def _add_command(
    parsers: Commands, name: str, run: Callable[[Namespace], None], summary: str, *examples: str, note: str = ""
) -> Parser:
    lines = [note, ""] if note else []
    parser = parsers.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="\n".join([*lines, "examples:", *(f"  {PROGRAM} {name} {example}" for example in examples)]),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(run=run)
    return parser


def _add_build(parsers: Commands) -> None:
    parser = _add_command(
        parsers,
        "build",
        commands.build,
        "build an index of a file of vectors",
        "vectors.npy vectors.hopspan --metric cosine",
        "base.u8bin base.hopspan --M 24 --ef-construction 300",
        "glove-100-angular.hdf5 glove.hopspan",
        note="A vector's id is its row. INDEX is replaced once the new one is whole.",
    )
    parser.add_argument("source", metavar="SOURCE", type=Path, help=f"the vectors: {FILES}")
    parser.add_argument("index", metavar="INDEX", type=Path, help="the file to write")
    parser.add_argument("--metric", choices=commands.METRICS, help="what an HDF5 file says, hamming for bool, else l2")
    parser.add_argument("--kind", choices=commands.KINDS, default="hnsw", help="a graph, or exact (default: hnsw)")
    parser.add_argument("--dtype", choices=commands.DTYPES, help="what is stored (default: like SOURCE, or float32)")
    parser.add_argument("--profile", choices=commands.PROFILES, help="a faster build, or less memory when it is loaded")
    parser.add_argument("--M", type=int, help="links of a node on the graph's upper levels (default: 16)")
    parser.add_argument("--ef-construction", type=int, help="width of the beam that builds (default: 200)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same index (default: 0)")
    _add_threads(parser)


def _add_search(parsers: Commands) -> None:
    parser = _add_command(
        parsers,
        "search",
        commands.search,
        "find the nearest vectors of each query",
        "vectors.hopspan queries.npy -k 5",
        "glove.hopspan glove-100-angular.hdf5 --recall 0.99 --threads 1",
        "base.hopspan queries.u8bin --ef 100 --out found.npz",
        note="The queries of an ann-benchmarks file come with their true neighbours: then the recall is shown as well.",
    )
    parser.add_argument("index", metavar="INDEX", type=Path, help="a file that build wrote")
    parser.add_argument("queries", metavar="QUERIES", type=Path, help=f"the queries: {FILES}")
    parser.add_argument("-k", type=int, default=10, help="neighbours for each query (default: 10)")
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--recall", type=float, help="share of the true neighbours to aim at (default: 0.95)")
    effort.add_argument("--ef", type=int, help="nodes to expand, in the mean of many queries, in place of --recall")
    parser.add_argument("--out", metavar="FILE.npz", type=Path, help="write ids and distances, each (queries, k)")
    parser.add_argument("--show", metavar="N", type=int, default=3, help="print the first N queries' (default: 3)")
    _add_threads(parser)


def _add_info(parsers: Commands) -> None:
    parser = _add_command(
        parsers,
        "info",
        commands.info,
        "tell what an index file holds, without reading all of it",
        "vectors.hopspan",
        "vectors.hopspan --json",
    )
    parser.add_argument("index", metavar="INDEX", type=Path, help="a file that build wrote")
    parser.add_argument("--json", action="store_true", help="for programs")


def _add_check(parsers: Commands) -> None:
    parser = _add_command(
        parsers,
        "check",
        commands.check,
        "verify every byte of an index file, and that every vector can be reached",
        "vectors.hopspan",
        "vectors.hopspan --shallow",
        note="The exit code is 0 for a sound file and 1 for a damaged one.",
    )
    parser.add_argument("index", metavar="INDEX", type=Path, help="a file that build wrote")
    parser.add_argument("--shallow", action="store_true", help="checksums and links only, no walk through the graph")


def _add_demo(parsers: Commands) -> None:
    parser = _add_command(
        parsers,
        "demo",
        show.demo,
        "search the documentation of Python's standard library",
        "",
        "--ask 'send an email' --ask 'median of numbers'",
        "--keep stdlib",
        "--load stdlib --ask 'copy a folder'",
        note="It reads the docstrings, learns a small text model, builds an index, measures it, saves and loads it.",
    )
    parser.add_argument("--ask", metavar="QUESTION", action="append", help="in place of the built-in questions")
    parser.add_argument("--limit", metavar="N", type=int, help="read only the first N passages")
    folder = parser.add_mutually_exclusive_group()
    folder.add_argument("--keep", metavar="FOLDER", type=Path, help="save there (default: a temporary folder)")
    folder.add_argument("--load", metavar="FOLDER", type=Path, help="only answer, from what --keep saved")
    _add_threads(parser)


def _add_threads(parser: Parser) -> None:
    parser.add_argument("--threads", type=int, help="at most so many threads (default: one for each processor)")
