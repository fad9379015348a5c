"""Writes the golden files of this release: `python tests/golden/make.py`, once for a format version and never again."""

from pathlib import Path

import hopspan
from golden_vectors import FILES, IDS, options_of, vectors_of

FOLDER = Path(__file__).parent

for name in FILES:
    index = hopspan.Index(**options_of(name))
    index.add(vectors_of(name), IDS if "ids" in name else None)
    index.save(FOLDER / name)
    print(name, (FOLDER / name).stat().st_size)
