"""The linters and formatters, with the settings of pyproject.toml and .clang-format."""

import re
from pathlib import Path

import pytest

from toolchain import ROOT, SOURCES, relative, run, sources

HOME = re.compile(r"/(home|root|work|Users)/\w")


def is_golden(path: Path) -> bool:
    return path.parent.parent.name == "golden"


FOLDERS = [".ci", ".github", "bench", "cmake", "cpp", "docs", "python", "tests"]
TEXTS = [
    *(
        path
        for path in sources(*FOLDERS, suffixes=SOURCES | {"", ".md", ".txt", ".yml", ".cmake"})
        if not is_golden(path)
    ),
    *(path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".json", ".txt"}),
]


def test_ruff() -> None:
    run("ruff", "check", "--no-cache", ".")


def test_ruff_format() -> None:
    run("ruff", "format", "--no-cache", "--check", ".")


def test_mypy(tmp_path: Path) -> None:
    run("mypy", "--cache-dir", tmp_path)


def test_stubs_match_the_extension(tmp_path: Path) -> None:
    # Outside the checkout, so that the installed package is the one that is looked at.
    run("stubtest", "hopspan._core", cwd=tmp_path)


def test_clang_format() -> None:
    files = map(relative, sources("cpp", "python", "tests", suffixes={".h", ".cpp", ".inl"}))
    run("clang-format", "--dry-run", "-Werror", *files)


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_text_is_clean(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "\r" not in text
    assert "\t" not in text
    assert text == "" or text.endswith("\n")
    assert not HOME.search(text), "a path of somebody's machine"
