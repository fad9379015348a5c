"""The tests themselves: each mirrors a source, none asserts how long something takes, every golden file is used."""

import ast
import re
from pathlib import Path

import pytest

from toolchain import ROOT, relative, sources

CPP_TESTS = [path for path in sources("tests/cpp", suffixes={".cpp"}) if path.name != "main.cpp"]
PYTHON_TESTS = [path for path in sources("tests", suffixes={".py"}) if path != Path(__file__)]
CLOCKS = {"perf_counter", "perf_counter_ns", "process_time", "thread_time"}


@pytest.mark.parametrize("path", CPP_TESTS, ids=relative)
def test_cpp_test_mirrors_a_source(path: Path) -> None:
    """test_threads.cpp and test_threads_fork.cpp test threads.h, of the same room or a helper beside the test."""
    room = path.parent.relative_to(ROOT / "tests" / "cpp")
    tested = {source.stem for source in [*sources(f"cpp/src/{room}"), *path.parent.glob("*.h")]}
    assert any(f"{path.stem}_".startswith(f"test_{stem}_") for stem in tested), f"no such source in cpp/src/{room}"


def test_every_room_is_tested() -> None:
    rooms = {path.parent for path in sources("cpp/src", suffixes={".cpp"})}
    tested = {path.parent for path in CPP_TESTS}
    assert {room.relative_to(ROOT / "cpp/src") for room in rooms} <= {
        room.relative_to(ROOT / "tests/cpp") for room in tested
    }


def measured(function: ast.AST) -> set[str]:
    """The names in a function that hold what a clock said."""
    held: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and mentions(node.value, CLOCKS | held):
            held |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return held


def mentions(node: ast.AST, names: set[str]) -> bool:
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    found |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    return bool(found & names)


@pytest.mark.parametrize("path", PYTHON_TESTS, ids=relative)
def test_no_wall_clock_is_asserted(path: Path) -> None:
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef):
            clocks = CLOCKS | measured(function)
            for node in ast.walk(function):
                assert not (isinstance(node, ast.Assert) and mentions(node.test, clocks)), (
                    f"{function.name}:{node.lineno}"
                )


@pytest.mark.parametrize("path", CPP_TESTS, ids=relative)
def test_no_wall_clock_is_checked(path: Path) -> None:
    for check in re.findall(r"CHECK\w*\(.*", path.read_text()):
        assert not re.search(r"(clock|elapsed|seconds)\w*\s*[<>]", check), check


def test_golden_files_are_used() -> None:
    golden = {path.name for path in (ROOT / "tests" / "golden").glob("*.hopspan")}
    tests = "".join(path.read_text() for path in PYTHON_TESTS + CPP_TESTS)
    assert {file for file in golden if file not in tests} == set()
