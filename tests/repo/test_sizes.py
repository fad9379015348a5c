"""Files and functions small enough to be read in one go, each file opening with what it owns."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain import relative, sources

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
FILES = sources("cpp", "python", "tests", "bench")
FUNCTION_START = re.compile(r"^(?P<indent> {0,4})(?!namespace|class|struct|enum|union|extern)[\w~].*\{$")


def python_functions(text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def cpp_functions(text: str) -> Iterator[tuple[str, int]]:
    """Blocks from a line that ends with '{' to the '}' under its first column, as clang-format lays them out."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if match := FUNCTION_START.match(line):
            end = next((i for i in range(start, len(lines)) if lines[i].startswith(match["indent"] + "}")), start)
            yield line.strip(), end - start + 1


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_file(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_FILE_LINES
    functions = python_functions if path.suffix.startswith(".py") else cpp_functions
    long = {function: lines for function, lines in functions(text) if lines > MAX_FUNCTION_LINES}
    assert long == {}


@pytest.mark.parametrize("path", sources("cpp", "python", "bench"), ids=relative)
def test_file_says_what_it_owns(path: Path) -> None:
    text = path.read_text()
    if path.suffix == ".py":
        assert ast.get_docstring(ast.parse(text))
    elif path.suffix in {".h", ".inl"}:
        assert text.startswith("//")
