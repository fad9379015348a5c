"""Runs build tools: those of the test extra first, then the system's."""

import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {".cpp", ".h", ".inl", ".py", ".pyi"}


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Standard output of a command that must succeed."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def sources(*folders: str, suffixes: set[str] = SOURCES) -> list[Path]:
    """The source files below some folders of the project."""
    files = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in files if path.suffix in suffixes and path.is_file())


def relative(path: Path) -> str:
    """The path as it is written below the project's folder; the id of tests about files."""
    return path.relative_to(ROOT).as_posix()


def cpp_cases() -> Iterator[tuple[str, str]]:
    """File and name of every TEST below tests/cpp."""
    for path in sources("tests/cpp", suffixes={".cpp"}):
        for name in re.findall(r"^TEST\((\w+)\)", path.read_text(), flags=re.M):
            yield path.relative_to(ROOT / "tests/cpp").as_posix(), name
