"""The NEON kernels, cross-compiled and run on an emulated processor."""

import pytest

from distance_room import build, tool
from toolchain import run


def test_kernels_on_an_emulated_arm(request: pytest.FixtureRequest) -> None:
    compiler = tool("aarch64-linux-gnu-g++")
    emulator = tool("qemu-aarch64-static", "qemu-aarch64")
    program = build(
        request.config.cache.mkdir("distance-aarch64"),
        "-DCMAKE_SYSTEM_NAME=Linux",
        "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
        f"-DCMAKE_CXX_COMPILER={compiler}",
        "-DCMAKE_EXE_LINKER_FLAGS=-static",
    )
    run(emulator, program)
