"""The docstrings of Python's standard library as passages, read from its source files without importing any of them.

A passage is one paragraph. Modules of C code that are loaded already give theirs as well.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import sysconfig
import warnings
import zipfile
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.resources.abc import Traversable

    Docstring = tuple[str, str]

ENOUGH = 1000
_SKIPPED = {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idle_test"}
_PARAGRAPHS = re.compile(r"\n\s*\n")
_WORD = re.compile(r"[A-Za-z]{2,}")


class Passage(NamedTuple):
    """A paragraph of the documentation of `name`."""

    name: str
    text: str


def passages(progress: Callable[[int, int], object], limit: int | None = None) -> list[Passage]:
    """Return distinct passages, all or the first `limit`; raise ValueError where the library has hardly any."""
    found = list(islice(_distinct(chain(_from_sources(progress), _from_loaded_modules())), limit))
    if len(found) < min(ENOUGH, ENOUGH if limit is None else limit):
        places = ", ".join(map(str, _roots())) or "no folder at all"
        raise ValueError(
            f"found only {len(found):,} passages of documentation; the demo reads the standard library's .py files, "
            f"and they should be in {places} (some systems ship them in a package of their own, or compiled only)"
        )
    return found


def _distinct(docstrings: Iterator[Docstring]) -> Iterator[Passage]:
    """Split docstrings into paragraphs of prose, each text once, under the first name that has it."""
    seen = set()
    for name, docstring in docstrings:
        for paragraph in _PARAGRAPHS.split(docstring):
            text = " ".join(paragraph.split())
            is_prose = not text.startswith(">>>") and len(_WORD.findall(text)) >= 3
            if is_prose and text not in seen:
                seen.add(text)
                yield Passage(name, text)


def _roots() -> list[Traversable]:
    """Where the standard library is: a folder or, in embedded Pythons, an archive."""
    folder = Path(sysconfig.get_path("stdlib"))
    archives = [path for path in map(Path, sys.path) if path.suffix == ".zip" and path.stem.startswith("python")]
    return [*([folder] if folder.is_dir() else []), *(zipfile.Path(path) for path in archives if path.is_file())]


def _from_sources(progress: Callable[[int, int], object]) -> Iterator[Docstring]:
    files = [(module, file) for root in _roots() for module, file in _modules(root, "")]
    for done, (module, file) in enumerate(files):
        progress(done, len(files))
        tree = _parse(file)
        if tree is not None:
            yield from _docstrings(tree, module)


def _modules(folder: Traversable, package: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: (entry.name.startswith("_"), entry.name)):
        stem, _, suffix = entry.name.partition(".")
        if not stem.isidentifier() or stem in _SKIPPED:
            continue
        if suffix == "py":
            yield (package.removesuffix(".") if stem == "__init__" else package + stem), entry
        elif not suffix and entry.is_dir():
            yield from _modules(entry, f"{package}{stem}.")


def _parse(file: Traversable) -> ast.Module | None:
    """Return what the file says, or nothing when it cannot be read or is not Python of this version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            return None


def _docstrings(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Iterator[Docstring]:
    docstring = ast.get_docstring(node)
    if docstring:
        yield name, docstring
    for child in _definitions(node.body):
        yield from _docstrings(child, f"{name}.{child.name}")


def _definitions(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield classes and functions, those below an if, try or with too."""
    for statement in body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            yield from _definitions(statement.body)
            yield from _definitions(getattr(statement, "orelse", []))
            for handler in getattr(statement, "handlers", []):
                yield from _definitions(handler.body)


def _from_loaded_modules() -> Iterator[Docstring]:
    for name in sorted(sys.stdlib_module_names & sys.modules.keys()):
        module = sys.modules[name]
        if not str(getattr(module, "__file__", None) or "").endswith(".py"):
            yield from _members(module, "" if name == "builtins" else f"{name}.")


def _members(owner: ModuleType | type, prefix: str) -> Iterator[Docstring]:
    for name, value in sorted(vars(owner).items()):
        docstring = getattr(value, "__doc__", None)
        if isinstance(docstring, str) and (callable(value) or inspect.isdatadescriptor(value)):
            yield prefix + name, inspect.cleandoc(docstring)
            if isinstance(value, type) and isinstance(owner, ModuleType):
                yield from _members(value, f"{prefix}{name}.")
