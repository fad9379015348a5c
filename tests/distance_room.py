"""Builds cpp/src/distance and its tests alone, by tests/cpp/distance/CMakeLists.txt."""

import os
import shutil
from pathlib import Path

import pytest

from toolchain import ROOT, run


def build(folder: Path, *options: str) -> Path:
    """The test program of the room; the objects of its kernels lie below the folder."""
    run("cmake", "-S", ROOT / "tests" / "cpp" / "distance", "-B", folder, *options)
    run("cmake", "--build", folder, "--parallel", "2")
    return folder / "distance_tests"


def tool(*names: str) -> str:
    """The first of these that is installed. Without one the test skips; where HOPSPAN_REQUIRE_CROSS=1 it fails."""
    for name in names:
        if shutil.which(name):
            return name
    missing = f"none of {', '.join(names)} is installed"
    if os.environ.get("HOPSPAN_REQUIRE_CROSS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)
