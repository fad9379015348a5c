"""The documents: links lead somewhere, commands exist, examples run."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain import ROOT, relative

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", flags=re.M | re.S)


def blocks(path: Path, language: str) -> list[str]:
    return [match["body"] for match in BLOCK.finditer(path.read_text()) if match["language"] == language]


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def commands() -> Iterator[tuple[Path, list[str]]]:
    """The shell commands of every document, word by word."""
    for path in DOCUMENTS:
        for block in blocks(path, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                for command in re.split(r"&&|\|", line.split(" #")[0]):
                    if words := shlex.split(command):
                        yield path, words


COMMANDS = [pytest.param(words, id=f"{relative(path)}: {' '.join(words)}") for path, words in commands()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_links(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"https?:", target):
            continue
        file, _, anchor = target.partition("#")
        goal = (path.parent / file).resolve() if file else path
        assert goal.exists(), target
        assert not anchor or anchor in anchors(goal), target


@pytest.mark.parametrize("words", COMMANDS)
def test_command_exists(words: list[str]) -> None:
    while "=" in words[0]:
        words = words[1:]
    program = words[0].removeprefix(".venv/bin/")
    if program == "python" and words[1] == "-m" and words[2] in {"hopspan", "bench"}:
        module = [*words[2:3], *words[3:4]]
        done = subprocess.run([sys.executable, "-m", *module, "--help"], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
    for word in words:
        if "--preset" in word:
            preset = words[words.index(word) + 1]
            assert f'"name": "{preset}"' in (ROOT / "CMakePresets.json").read_text()
        if re.match(r"(\.ci|tests|docs|cpp|bench)/", word):
            assert (ROOT / word).exists(), word


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if blocks(path, "python")], ids=relative)
def test_examples_run(path: Path, tmp_path: Path) -> None:
    program = "\n".join(blocks(path, "python"))
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_decisions_are_numbered_and_listed() -> None:
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [file[:4] for file in decisions] == [f"{i:04}" for i in range(1, len(decisions) + 1)]
    listed = (ROOT / "docs" / "architecture.md").read_text()
    assert all(f"(decisions/{file})" in listed for file in decisions)
