"""Tables and plots of measured curves; `python -m bench.report FILE.json... --plots FOLDER` makes them again."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench.frontier import TARGETS, Row, frontier, is_me, qps_at, rival

_SHOWN_FROM = 0.8


def table(about: dict[str, Any], rows: dict[str, Row]) -> str:
    """Return each library's figures and, beside a peer's, those of hopspan against it."""
    at = " | ".join(f"at {target:.2f}".replace("0.", ".") for target in TARGETS)
    head = f"{about['name']}: {about['count']:,} x {about['dim']}, {about['metric']}"
    lines = [
        f"| {head} | QPS {at} | build s | bytes a vector in memory, in the file | hopspan / it {at} |",
        "|" + "---|" * (2 * len(TARGETS) + 3),
    ]
    order = sorted(rows, key=lambda label: (not is_me(label), -(qps_at(rows[label]["curve"], TARGETS[1]) or 0)))
    for label in order:
        row = rows[label]
        speeds = [_number(qps_at(row["curve"], target)) for target in TARGETS]
        sizes = f"{row['memory_bytes'] / about['count']:.0f}, {_number(row['file_bytes'], about['count'])}"
        ratios = [" " if is_me(label) else _ratio(rows, label, target) for target in TARGETS]
        cells = [label, *speeds, f"{row['build_seconds']:.1f}", sizes, *ratios]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _number(value: float | None, unit: float = 1) -> str:
    return "-" if value is None else f"{value / unit:,.0f}"


def _ratio(rows: dict[str, Row], label: str, target: float) -> str:
    found = rival(rows, label, target)
    if found is None:
        return "-"
    options = found.label.partition(" ")[2]
    return f"{found.ratio:.2f}{'' if found.fair else '*'}{f' ({options})' if options else ''}"


NOTE = "(*) by a configuration that holds more memory than the peer or builds longer: no other one reaches the recall."


def plot(about: dict[str, Any], rows: dict[str, Row], file: Path) -> None:
    """Draw queries per second over recall."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "hopspan"  # the same figures, the same bytes
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    colours = mpl.colormaps["tab20"].colors
    for number, (label, row) in enumerate(rows.items()):
        points = [point for point in frontier(row["curve"]) if point[0] >= _SHOWN_FROM]
        style = {"color": "black", "linewidth": 2.2} if is_me(label) else {"color": colours[number % 20]}
        recalls, speeds = [point[0] for point in points], [point[1] for point in points]
        axes.plot(recalls, speeds, marker=".", label=label, **style)
    axes.set(xlabel="recall@10", ylabel="queries per second, one thread", yscale="log", xlim=(_SHOWN_FROM, 1))
    axes.set_title(f"{about['name']}: {about['count']:,} x {about['dim']}, {about['metric']}")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize="small", ncols=2)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})


def show(kept: list[dict[str, Any]], plots: Path | None) -> None:
    """Print the tables and draw the plots of what `python -m bench graph` kept."""
    for part in kept:
        print(f"{table(part['set'], part['rows'])}\n")
        if plots:
            plot(part["set"], part["rows"], plots / f"{part['set']['name']}.svg")
    print(NOTE)


def main() -> None:
    """Show the files of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="what python -m bench graph --out wrote")
    parser.add_argument("--plots", type=Path, help="folder for one .svg a set")
    options = parser.parse_args()
    show([part for file in options.files for part in json.loads(file.read_text())["graph"]], options.plots)


if __name__ == "__main__":
    main()
