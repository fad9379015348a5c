"""What a wheel must do in an environment that has nothing but NumPy: run as a program, after installing it."""

import tempfile
from importlib.metadata import files
from pathlib import Path

import numpy as np

import hopspan


def check_contents() -> None:
    """Only the package and its metadata, with the type information."""
    installed = {file.as_posix() for file in files("hopspan") or []}
    stray = {
        file for file in installed if not file.startswith(("hopspan/", f"hopspan-{hopspan.__version__}.dist-info/"))
    }
    assert stray == set(), stray
    assert {"hopspan/py.typed", "hopspan/_core.pyi"} <= installed


def check_search(folder: Path) -> None:
    """Each vector finds itself, before and after a save."""
    vectors = np.random.default_rng(0).standard_normal((2000, 32), dtype=np.float32)
    index = hopspan.Index(dim=32)
    ids = index.add(vectors)
    index.save(folder / "index.hopspan")
    for each in (index, hopspan.load(folder / "index.hopspan")):
        assert (each.search(vectors, k=1, ef=64).ids[:, 0] == ids).mean() > 0.99
    index.check(deep=True)


if __name__ == "__main__":
    check_contents()
    with tempfile.TemporaryDirectory() as folder:
        check_search(Path(folder))
    print("smoke test passed")
