"""`python -m bench graph` from a file to tables: the workers, the JSON, the plot."""

import json
import subprocess
import sys
from typing import Any

import h5py
import numpy as np
import pytest

from bench.peers import PEERS, Choice
from bench.report import table
from toolchain import ROOT

CONFIGURATIONS = ["hopspan", 'hopspan:{"M": 4}']


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What it prints and what it keeps, for two configurations and one that fails."""
    folder = tmp_path_factory.mktemp("bench")
    vectors = np.random.default_rng(0).standard_normal((1100, 16), dtype=np.float32)
    with h5py.File(folder / "small.hdf5", "w") as file:
        file["train"], file["test"], file.attrs["distance"] = vectors[:1000], vectors[1000:], "euclidean"
    command = [sys.executable, "-m", "bench", "graph", "--sets", folder / "small.hdf5", "--out", folder / "kept.json"]
    peers = ["--rounds", "1", "--peers", *CONFIGURATIONS, 'hopspan:{"M": 0}']
    done = subprocess.run([*command, *peers], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "kept.json").read_text())


def test_curves_rise_to_all_neighbours(kept: tuple[str, dict[str, Any]]) -> None:
    (part,) = kept[1]["graph"]
    assert part["set"] == {"name": "small", "metric": "l2", "count": 1000, "dim": 16}
    assert list(part["rows"]) == ["hopspan", "hopspan M=4"]
    for row in part["rows"].values():
        efforts, recalls, speeds = zip(*row["curve"], strict=True)
        assert list(efforts) == sorted(efforts)
        assert recalls[0] < recalls[-1] >= 0.99
        assert min(speeds) > 0
        assert row["build_seconds"] > 0
        assert row["file_bytes"] > 1000 * 16 * 4
    assert part["rows"]["hopspan"]["file_bytes"] > part["rows"]["hopspan M=4"]["file_bytes"]


def test_what_fails_is_left_out(kept: tuple[str, dict[str, Any]]) -> None:
    assert "hopspan M=0: left out, ValueError" in kept[0]


def test_table_marks_what_is_not_fair(kept: tuple[str, dict[str, Any]]) -> None:
    (part,) = kept[1]["graph"]
    mine = part["rows"]["hopspan"] | {"memory_bytes": 10}
    rich, poor = mine | {"memory_bytes": 11}, mine | {"memory_bytes": 9, "file_bytes": None}
    lines = table(part["set"], {"rich": rich, "hopspan codes=sq8": mine, "poor": poor}).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| hopspan codes=sq8", "| rich", "| poor"]
    assert lines[3].endswith("| 1.00 (codes=sq8) | 1.00 (codes=sq8) | 1.00 (codes=sq8) |")
    assert lines[4].endswith("| 1.00* (codes=sq8) | 1.00* (codes=sq8) | 1.00* (codes=sq8) |")
    assert len({line.count("|") for line in lines}) == 1


def test_a_choice_keeps_the_options_that_it_does_not_name() -> None:
    choice = Choice.parse('hnswlib:{"M": 24}')
    assert choice.label == "hnswlib M=24"
    assert choice.spec.options == {"M": 24, "ef_construction": 200}
    assert PEERS["hnswlib"].options["M"] == 16
    with pytest.raises(ValueError, match="'nobody'"):
        Choice.parse("nobody")
