"""The choice of an instruction set: by HOPSPAN_ISA, and by what an old processor has."""

import platform
import re
import sys
from pathlib import Path

import pytest

from distance_room import build, tool
from toolchain import run

X86_64 = platform.machine() in {"x86_64", "AMD64"}


@pytest.fixture(scope="module")
def program(request: pytest.FixtureRequest) -> Path:
    return build(request.config.cache.mkdir("distance"))


@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512", "neon", "", "sse9"])
def test_environment_forces_a_level(program: Path, isa: str) -> None:
    run("cmake", "-E", "env", f"HOPSPAN_ISA={isa}", program, "dispatch_obeys_the_environment")


# What the kernels' files are compiled for must not leak into the rest: there it would be an illegal instruction.
@pytest.mark.skipif(not X86_64 or sys.platform != "linux", reason="for x86-64 Linux")
@pytest.mark.parametrize("cpu", ["Nehalem", "Haswell"])
def test_emulated_old_processor(program: Path, cpu: str) -> None:
    emulator = tool("qemu-x86_64-static", "qemu-x86_64")
    cases = run(program, "--list").split()
    if cpu == "Haswell":
        # QEMU's masked loads touch the bytes that are masked out, a guard page too.
        cases = [case for case in cases if not re.match("kernels_(agree|give)", case)]
    assert cases
    run(emulator, "-cpu", cpu, program, *cases)
