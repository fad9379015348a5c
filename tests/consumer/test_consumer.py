"""Installs the C++ library without Python and builds a small program against it."""

from pathlib import Path

import pytest

from toolchain import ROOT, run


def headers(include: Path) -> set[str]:
    return {path.relative_to(include).as_posix() for path in include.rglob("*") if path.is_file()}


def install(build: Path, prefix: Path, shared: str) -> None:
    options = ["-DHOPSPAN_PYTHON=OFF", f"-DBUILD_SHARED_LIBS={shared}", "-DCMAKE_BUILD_TYPE=Debug"]
    run("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_INSTALL_LIBDIR=lib", *options)
    run("cmake", "--build", build)
    run("cmake", "--install", build, "--prefix", prefix)


@pytest.mark.parametrize("shared", ["OFF", "ON"], ids=["static", "shared"])
def test_installed_library_serves_a_program(request: pytest.FixtureRequest, tmp_path: Path, shared: str) -> None:
    prefix = tmp_path / "prefix"
    install(request.config.cache.mkdir(f"consumer-{shared}"), prefix, shared)
    assert headers(prefix / "include") == headers(ROOT / "cpp" / "include")
    for file in (prefix / "lib" / "cmake" / "hopspan").iterdir():
        assert str(ROOT) not in file.read_text(), f"{file.name} points into the source tree"

    build = tmp_path / "build"
    run("cmake", "-S", ROOT / "tests" / "consumer", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", build)
    assert run(build / "consumer", tmp_path / "index.hops").strip() == "ok"
