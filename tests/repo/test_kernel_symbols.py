"""What the objects of the kernels show to a linker: their tables and nothing else.

They are compiled for one instruction set each. A function that they shared with the rest of the program, an inline one
of the standard library say, could become the copy that the whole program uses, and an old processor would not know it.
HOPSPAN_BUILD_DIR names a build of the library to look at; without it the test makes one.
"""

import os
import re
import sys
from pathlib import Path

import pytest

from distance_room import build
from toolchain import ROOT, run

# What a compiler may call by itself.
RUNTIME = {"memcpy", "memmove", "memset", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs nm")


@pytest.fixture(scope="module")
def objects(request: pytest.FixtureRequest) -> dict[str, Path]:
    folder = Path(os.environ.get("HOPSPAN_BUILD_DIR") or request.config.cache.mkdir("distance"))
    if "HOPSPAN_BUILD_DIR" not in os.environ:
        build(folder)
    return {match[1]: path for path in folder.rglob("*.o") if (match := re.match(r"kernels_(\w+)\.", path.name))}


def symbols(path: Path) -> list[tuple[str, str]]:
    """Name and kind of each symbol, the kind as nm's letter."""
    lines = run("nm", "--format=posix", path).splitlines()
    return [(words[0], words[1]) for words in map(str.split, lines)]


def test_every_kernel_file_is_looked_at(objects: dict[str, Path]) -> None:
    files = {path.stem.removeprefix("kernels_") for path in (ROOT / "cpp/src/distance").glob("kernels_*.cpp")}
    assert {"scalar"} < objects.keys() <= files


def test_tables_are_the_only_exports(objects: dict[str, Path]) -> None:
    for isa, path in objects.items():
        exported = {name for name, kind in symbols(path) if kind.isupper() and kind != "U"}
        tables = ("12kernel_table", "11block_table", "10scan_table", "10beam_table")
        wanted = {f"{len(isa)}{isa}{table}E" for table in tables}
        assert {re.sub(r"^_*ZN7hopspan8distance", "", name) for name in exported} == wanted


def test_nothing_is_weak(objects: dict[str, Path]) -> None:
    for path in objects.values():
        assert [name for name, kind in symbols(path) if kind in "WwVvu"] == []


def test_nothing_is_called_and_nothing_runs_at_start(objects: dict[str, Path]) -> None:
    for path in objects.values():
        assert {name.lstrip("_") for name, kind in symbols(path) if kind == "U"} <= {s.lstrip("_") for s in RUNTIME}
        assert [name for name, _ in symbols(path) if "_GLOBAL__sub_I" in name] == []
