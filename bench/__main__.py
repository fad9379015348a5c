"""`python -m bench`: measures hopspan beside the libraries that are installed."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import tempfile
from pathlib import Path
from typing import Any

import hopspan
from bench import graph, sets, small
from bench.peers import PEERS

PARTS = ("graph", "exact", "call", "storage", "import")


def main() -> None:
    """Measure what the command line asks for, print it, and keep it as JSON."""
    options = _parser().parse_args()
    names = [name for name in options.peers if importlib.util.find_spec(name)]
    print(f"hopspan {hopspan.__version__} beside {', '.join(names[1:]) or 'no installed peer'}; {platform.processor()}")
    small.warm_up()
    needs_set = {"graph", "exact", "storage"} & set(options.parts)
    data = sets.load(options.set, options.queries) if needs_set else None
    kept: dict[str, Any] = {"hopspan": hopspan.__version__, "set": data.name if data else None}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for part in options.parts:
            kept[part] = _measure(part, options, data, names, Path(folder))
    if options.out:
        options.out.write_text(json.dumps(kept, indent=1))


def _measure(part: str, options: argparse.Namespace, data: Any, names: list[str], folder: Path) -> dict[str, Any]:
    if part == "graph":
        rows = graph.measure(data, names, options.threads, options.rounds, folder)
        print(graph.table(rows, data))
        return rows
    figures: dict[str, float] = {
        "exact": lambda: small.exact(data, names, options.rounds),
        "call": lambda: small.call(names, options.rounds * 5),
        "storage": lambda: small.storage(data, options.rounds, folder),
        "import": lambda: small.import_time(options.rounds * 5),
    }[part]()
    unit = {"exact": "s", "call": "us", "storage": "", "import": "ms"}[part]
    for name, value in figures.items():
        print(f"{part:8}  {name:28}  {value:12.5g} {unit}")
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), choices=PARTS, help="what to measure (default: all)")
    parser.add_argument(
        "--set", type=Path, help="ann-benchmarks .hdf5 file (default: docstrings of the standard library)"
    )
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS), help="default: all installed")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2, help="threads of a build; a search always has one")
    parser.add_argument("--rounds", type=int, default=3, help="passes, of which the best counts")
    parser.add_argument("--folder", type=Path, help="where temporary index files go (default: the system's)")
    parser.add_argument("--out", type=Path, help="JSON file to keep the figures in")
    return parser


if __name__ == "__main__":
    main()
