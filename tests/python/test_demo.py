"""The demo as a user runs it, on the first few hundred passages."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hopspan
from hopspan.cli.demo import show
from hopspan.cli.demo.search_engine import Library
from hopspan.cli.demo.show import QUESTIONS, recall_by_distance
from hopspan.cli.main import main

DEMO = [sys.executable, "-m", "hopspan", "demo"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that a demo keeps, and what it prints."""
    folder = tmp_path_factory.mktemp("demo") / "deep" / "kept"
    command = [*DEMO, "--limit", "400", "--keep", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return folder, done.stdout


def test_what_it_prints(kept: tuple[Path, str]) -> None:
    folder, out = kept
    assert re.search(r"^read   400 passages about \d+ things", out, flags=re.M)
    assert re.search(r"^embed  \d+ dimensions, learnt from [\d,]+ words", out, flags=re.M)
    assert re.search(r"^index  a graph of 400 vectors", out, flags=re.M)
    assert f"the same answers to all {len(QUESTIONS)} questions" in out
    assert f"demo --load {folder}" in out
    recalls = dict(re.findall(r"^ +(exact|graph, recall=\S+) +(\d\.\d+) +[\d,]+/s$", out, flags=re.M))
    assert list(recalls) == ["exact", "graph, recall=0.9", "graph, recall=0.95", "graph, recall=0.99"]
    assert recalls["exact"] == "1.000"
    assert all(float(recall) > 0.85 for recall in recalls.values())


def test_every_question_has_answers(kept: tuple[Path, str]) -> None:
    lines = kept[1].splitlines()
    for question in QUESTIONS:
        answers = lines[lines.index(question) + 1 :][:3]
        similarities = [float(answer.split()[0]) for answer in answers]
        assert similarities == sorted(similarities, reverse=True)


def test_what_is_kept_can_be_asked(kept: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = kept
    assert (
        main(["demo", "--load", str(folder), "--ask", "parse command line arguments", "--ask", "xyzzy \u4f60\u597d"])
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "parse command line arguments"
    assert lines[1].split()[1].startswith("argparse")
    assert lines[4:] == ["xyzzy \u4f60\u597d", "    (none of these words is in the documentation)"]


def test_files_of_two_demos_do_not_mix(
    kept: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = kept
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "passages.json").write_text('[["a", "b"]]')
    assert main(["demo", "--load", str(tmp_path)]) == 2
    assert "1 passages and 400 vectors" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["passages.json", "model.npz"])
def test_damaged_files(kept: tuple[Path, str], tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = kept
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for content in (b"", b"text", (folder / name).read_bytes()[:-100]):
        (tmp_path / name).write_bytes(content)
        assert main(["demo", "--load", str(tmp_path)]) == 2
        assert str(tmp_path / name) in capsys.readouterr().err


def test_other_answers_in_the_new_process_are_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = Library.save

    def save_another(self: Library, folder: Path) -> int:
        return save(Library(self.passages[::-1], self.model, self.index), folder)

    monkeypatch.setattr(Library, "save", save_another)
    assert main(["demo", "--limit", "50", "--ask", "parse arguments"]) == 70
    assert "other answers" in capsys.readouterr().err


def test_a_new_process_that_fails_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Library, "save", lambda self, folder: 0)
    assert main(["demo", "--limit", "50"]) == 70
    assert "the new process failed with exit code 2" in capfd.readouterr().err


def test_recall_counts_ties() -> None:
    true = np.array([[0.1, 0.2], [0.3, 0.3]], np.float32)
    assert recall_by_distance(np.array([[0.1, 0.2], [0.3, 0.3]], np.float32), true) == 1.0
    assert recall_by_distance(np.array([[0.1, 0.25], [0.3, np.inf]], np.float32), true) == 0.5


def test_the_printed_recall_is_against_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    index = hopspan.Index(2, "cosine", kind="flat")
    index.add(np.array([[1, 0], [0, 1], [1, 1]] * 4))
    queries = np.array([[1, 0], [0, 1]], np.float32)
    truth = show._print_speed("exact", index, queries, None, None)
    nearer = hopspan.Neighbors(truth.ids, truth.distances - np.array([[0], [1]], np.float32))
    show._print_speed("other", index, queries, 0.9, nearer)
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["exact", "1.000"],
        ["other", "0.700"],
    ]
