"""Builds tests/cpp and runs each of its cases as a test of its own.

HOPSPAN_PRESET names the CMake preset to build with: release (the default), dev, asan-ubsan, tsan or coverage.
"""

import os
import sys
from pathlib import Path

import pytest

from toolchain import cpp_cases, run

PRESET = os.environ.get("HOPSPAN_PRESET", "release")
CASES = list(cpp_cases())


@pytest.fixture(scope="module")
def program(request: pytest.FixtureRequest) -> Path:
    build = request.config.cache.mkdir(f"cpp-{PRESET}")
    run("cmake", "--preset", PRESET, "-B", build)
    run("cmake", "--build", build)
    return build / "tests" / "cpp" / ("hopspan_tests.exe" if sys.platform == "win32" else "hopspan_tests")


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{file}::{name}" for file, name in CASES])
def test_case(program: Path, file: str, name: str) -> None:
    run(program, name)


def test_program_holds_every_case(program: Path) -> None:
    assert sorted(run(program, "--list").split()) == sorted({name for _, name in CASES})


def test_names_are_distinct() -> None:
    names = [name for _, name in CASES]
    assert sorted(names) == sorted(set(names))
