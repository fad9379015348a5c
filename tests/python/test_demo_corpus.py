"""The passages of the demo: found in sources of every shape, never by running them."""

import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from hopspan.cli.demo import corpus
from hopspan.cli.demo.corpus import Passage, passages
from hopspan.cli.main import main

SOURCE = '''"""About the whole module.

A second paragraph of it.

>>> this is no prose at all
"""
raise SystemExit("it was run")


class Outer(Base):
    """About the outer class."""

    def method(self):
        """About the only method."""

        def local():
            """About a local function."""

    async def later(self):
        """About
           two  lines."""


if sys.platform == "win32":
    def branch(): "In an if branch."
else:
    def branch(): "In an else branch."

try:
    with suppress():
        def tried(): "In a try block."
except ImportError:
    def tried(): "In an except block."

def short(): "too short"
def bytes_only(): b"not a docstring, really"
def repeated(): "About the whole module."
def undocumented(): pass
'''

FOUND = [
    Passage("pack.mod", "About the whole module."),
    Passage("pack.mod", "A second paragraph of it."),
    Passage("pack.mod.Outer", "About the outer class."),
    Passage("pack.mod.Outer.method", "About the only method."),
    Passage("pack.mod.Outer.method.local", "About a local function."),
    Passage("pack.mod.Outer.later", "About two lines."),
    Passage("pack.mod.branch", "In an if branch."),
    Passage("pack.mod.branch", "In an else branch."),
    Passage("pack.mod.tried", "In a try block."),
    Passage("pack.mod.tried", "In an except block."),
]


def ignore(done: int, total: int) -> None:
    assert 0 <= done < total


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the standard library; no other passages are about."""
    folder = tmp_path / "lib"
    folder.mkdir()
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(folder))
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(corpus, "_from_loaded_modules", lambda: iter(()))
    monkeypatch.setattr(corpus, "ENOUGH", 0)
    return folder


def write(folder: Path, name: str, content: str | bytes = SOURCE) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_definitions_of_every_depth(library: Path) -> None:
    write(library, "pack/mod.py")
    assert passages(ignore) == FOUND
    assert passages(ignore, 3) == FOUND[:3]


def test_packages_and_order(library: Path) -> None:
    for name in ("_a", "b", "a", "p/__init__", "p/z", "p/q/__init__"):
        write(library, f"{name}.py", f'"About the module {name}."')
    assert [name for name, _ in passages(ignore)] == ["a", "b", "p.q", "p.z", "p", "_a"]


def test_what_is_skipped(library: Path) -> None:
    for name in ("test/a", "p/tests/a", "site-packages/a", "p/__pycache__/a", "with-dash", "p/idle_test/a"):
        write(library, f"{name}.py")
    write(library, "broken.py", '"""About a broken file."""\nprint "of Python 2"')
    write(library, "null.py", b'"About a null byte."\n\0')
    write(library, "badly_encoded.py", b'"About some other bytes \xff."')
    write(library, "data.txt")
    assert passages(ignore) == []


def test_encodings_and_warnings(library: Path) -> None:
    write(library, "latin.py", '# -*- coding: latin-1 -*-\n"""Caf\xe9 au lait please."""'.encode("latin-1"))
    write(library, "old.py", '"""About an escape: \\d."""')
    assert [text for _, text in passages(ignore)] == ["Caf\xe9 au lait please.", "About an escape: \\d."]


def test_library_in_an_archive(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library.rmdir()
    archive = library.parent / "python399.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("pack/mod.py", SOURCE)
        file.writestr("pack/compiled.pyc", b"\0")
    monkeypatch.setattr(sys, "path", [str(library.parent / "none.zip"), str(archive)])
    assert passages(ignore) == FOUND


def test_missing_library_is_an_error_that_says_where(
    library: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(corpus, "ENOUGH", 1000)
    write(library, "pack/mod.py")
    assert main(["demo"]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"hopspan: found only {len(FOUND)} passages")
    assert str(library) in message
    (library / "pack" / "mod.py").unlink()
    (library / "pack").rmdir()
    library.rmdir()
    with pytest.raises(ValueError, match=r"found only 0 passages.*in no folder at all"):
        passages(ignore, 20)


def test_loaded_c_modules(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    monkeypatch.undo()
    found = dict(corpus._from_loaded_modules())
    assert found["str.split"].startswith("Return a list of the substrings")
    assert "time.sleep" in found
    assert not any(name.startswith(("json.", "pathlib.")) for name in found)


def test_this_machine_has_plenty() -> None:
    found = passages(ignore, 3000)
    assert len(found) == len({text for _, text in found}) == 3000
