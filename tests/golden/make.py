"""Writes golden files that are missing: `python tests/golden/make.py`, once for a format version and never again."""

from pathlib import Path

import hopspan
from golden_vectors import FILES, FOLDER_NAME, IDS, ROWS, options_of, vectors_of

FOLDER = Path(__file__).parent

for name in FILES:
    if (FOLDER / name).exists():
        continue
    index = hopspan.Index(**options_of(name))
    index.add(vectors_of(name), IDS if "ids" in name else None)
    index.save(FOLDER / name)
    print(name, (FOLDER / name).stat().st_size)

if not (FOLDER / FOLDER_NAME).exists():
    vectors = vectors_of(FOLDER_NAME)
    with hopspan.open(FOLDER / FOLDER_NAME, "a", **options_of(FOLDER_NAME)) as index:
        index.add(vectors[: ROWS // 2], IDS[: ROWS // 2])
        index.compact()
        index.add(vectors[ROWS // 2 : -1], IDS[ROWS // 2 : -1])
        index.add(vectors[-1], IDS[-1:])
    print(FOLDER_NAME)
