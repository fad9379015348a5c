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


@pytest.fixture(scope="module")
def listed(program: Path) -> list[str]:
    return run(program, "--list").split()


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{file}::{name}" for file, name in CASES])
def test_case(program: Path, listed: list[str], file: str, name: str) -> None:
    if name not in listed:
        pytest.skip(f"not part of {PRESET} on {sys.platform}")
    run(program, name)


def test_program_lists_the_cases_of_the_sources(listed: list[str]) -> None:
    names = {name for _, name in CASES}
    assert set(listed) <= names
    if PRESET == "release" and sys.platform == "linux":
        assert set(listed) == names


def test_names_are_distinct() -> None:
    names = [name for _, name in CASES]
    assert sorted(names) == sorted(set(names))
