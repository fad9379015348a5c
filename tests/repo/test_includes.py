"""The rooms of the house: an #include may point down, never up or outside."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain import ROOT, relative, sources

# What each room may include besides itself and the public headers; docs/architecture.md shows the same as a picture.
BELOW = {
    "core": set(),
    "storage": {"core"},
    "distance": {"core"},
    "vectors": {"core", "storage", "distance"},
    "quantize": {"core", "storage", "distance", "vectors"},
    "hnsw": {"core", "storage", "distance", "vectors", "quantize"},
    "spann": {"core", "storage", "distance", "vectors", "quantize"},
    "index": {"core", "storage", "distance", "vectors", "quantize", "hnsw", "spann"},
    "durable": {"core", "storage", "vectors", "index"},
}
PUBLIC = ROOT / "cpp" / "include"
SRC = ROOT / "cpp" / "src"
CPP = {".h", ".cpp", ".inl"}

INTRINSICS = re.compile(r"(\w*intrin|arm_neon|arm_acle)\.h")
MAY_USE_INTRINSICS = re.compile(r"(distance/.*|core/crc32c.*|core/prefetch)\.\w+")
PROCESS_WIDE = re.compile(r"\b(std::(cout|cerr|clog)|f?printf|puts|abort|exit|quick_exit|terminate)\s*[(<]")


def includes(path: Path) -> list[str]:
    return re.findall(r'^#include "([^"]+)"', path.read_text(), flags=re.M)


def upward(path: Path) -> Iterator[str]:
    room = path.relative_to(SRC).parts[0]
    for name in includes(path):
        target = name.split("/")[0]
        if target not in {"hopspan", room} | BELOW[room]:
            yield name


def test_every_room_has_its_place() -> None:
    assert {path.name for path in SRC.iterdir()} <= BELOW.keys()


@pytest.mark.parametrize("path", sources("cpp/src", suffixes=CPP), ids=relative)
def test_room(path: Path) -> None:
    assert list(upward(path)) == [], "an #include that points up"
    for name in includes(path):
        assert (SRC / name).is_file() or (PUBLIC / name).is_file(), f"{name} is not a full path"
    text = path.read_text()
    name = path.relative_to(SRC).as_posix()
    if not MAY_USE_INTRINSICS.fullmatch(name):
        assert not INTRINSICS.search(text), "intrinsics belong to distance"
    assert not PROCESS_WIDE.search(text), "the library neither prints nor ends the process"
    assert "pybind11" not in text


@pytest.mark.parametrize("path", sources("cpp/src", suffixes={".cpp"}), ids=relative)
def test_own_header_comes_first(path: Path) -> None:
    own = path.with_suffix(".h")
    if own.is_file():
        first = re.search(r'^#include ["<]([^">]+)[">]', path.read_text(), flags=re.M)
        assert first is not None
        assert first[1] == own.relative_to(SRC).as_posix()


@pytest.mark.parametrize("path", sources("cpp/include"), ids=relative)
def test_public_header_includes_only_public_ones(path: Path) -> None:
    for name in includes(path):
        assert (PUBLIC / name).is_file(), f"{name} is not public"


@pytest.mark.parametrize("path", sources("cpp", suffixes={".h"}), ids=relative)
def test_header_is_read_once(path: Path) -> None:
    assert re.search(r"^#pragma once$", path.read_text(), flags=re.M)
