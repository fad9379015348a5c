"""`python -m bench`: measures hopspan beside the libraries that are installed."""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from pathlib import Path
from typing import Any

import hopspan
from bench import churn, curves, disk, durable, list_churn, own, report, sets, small
from bench.peers import PEERS, Choice

PARTS = (
    "graph",
    "exact",
    "call",
    "storage",
    "import",
    "threads",
    "adds",
    "churn",
    "list-churn",
    "isa",
    "disk",
    "durable",
)
_WITHOUT_SET = {"call", "import", "durable"}


def main() -> None:
    """Measure what the command line asks for, print it, and keep it as JSON."""
    options = _parser().parse_args()
    print(f"hopspan {hopspan.__version__}, {platform.processor() or platform.machine()}")
    small.warm_up()
    kept: dict[str, Any] = {"hopspan": hopspan.__version__}
    for path in options.sets or [None]:
        parts = [part for part in options.parts if part not in kept or part not in _WITHOUT_SET]
        data = sets.load(path, options.queries, options.rows) if {*parts} - _WITHOUT_SET else None
        for part in parts:
            kept.setdefault(part, []).append(_measure(part, options, data))
            if options.out:
                options.out.write_text(json.dumps(kept, indent=1))


def _measure(part: str, options: argparse.Namespace, data: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        if part == "graph":
            choices = [choice for choice in options.peers if choice.is_installed()]
            rows = curves.measure(data, choices, options.threads, options.rounds, folder)
            kept = {"set": data.about(), "rows": rows}
            report.show([kept], options.plots)
            return kept
        figures: dict[str, float] = {
            "exact": lambda: small.exact(data, options.rounds),
            "call": lambda: small.call(options.rounds * 5),
            "storage": lambda: small.storage(data, options.rounds, folder),
            "import": lambda: small.import_time(options.rounds * 5),
            "threads": lambda: own.threads(data, options.rounds),
            "adds": lambda: own.adds(data, options.rounds),
            "churn": lambda: churn.churn(data, options.threads, options.rounds),
            "list-churn": lambda: list_churn.list_churn(data, options.threads),
            "isa": lambda: own.isa(data, options.rounds, folder),
            "disk": lambda: disk.disk(data, options.threads, folder, options.lists),
            "durable": lambda: durable.durable(options.rounds, folder),
        }[part]()
    for name, value in figures.items():
        print(f"{part:8}  {name:36}  {value:12.5g}")
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), choices=PARTS, help="what to measure (default: all)")
    parser.add_argument(
        "--sets", nargs="+", type=Path, help="ann-benchmarks .hdf5 files (default: docstrings of the standard library)"
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        type=Choice.parse,
        default=[Choice.parse(name) for name in PEERS],
        metavar='NAME or NAME:{"option": value}',
        help=f"whose curves to measure (default: all that are installed of {', '.join(PEERS)})",
    )
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--rows", type=int, help="how many vectors of each set (default: all)")
    parser.add_argument("--threads", type=int, default=2, help="threads of a build; a search always has one")
    parser.add_argument("--rounds", type=int, default=3, help="passes, of which the best counts")
    parser.add_argument("--folder", type=Path, help="where temporary files go (default: the system's)")
    parser.add_argument("--lists", type=json.loads, default={}, metavar="JSON", help="options of the lists on disk")
    parser.add_argument("--out", type=Path, help="JSON file to keep the figures in")
    parser.add_argument("--plots", type=Path, help="folder for a plot of each set's curves; needs matplotlib")
    return parser


if __name__ == "__main__":
    main()
