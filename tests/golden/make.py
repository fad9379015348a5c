"""Writes golden files that are missing: `python tests/golden/make.py`, once for a format version and never again."""

from pathlib import Path

import hopspan
from golden_vectors import (
    CHANGED_FOLDER_NAME,
    DISK_FILE,
    FILES,
    FOLDER_NAME,
    IDS,
    REMOVED,
    ROWS,
    disk_vectors,
    options_of,
    vectors_of,
)

FOLDER = Path(__file__).parent

for name in FILES:
    if (FOLDER / name).exists():
        continue
    index = hopspan.Index(**options_of(name))
    index.add(vectors_of(name), IDS if "ids" in name else None)
    if "removed" in name:
        index.remove(REMOVED[:-1])
        index.remove(REMOVED[-1])
    index.save(FOLDER / name)
    print(name, (FOLDER / name).stat().st_size)

if not (FOLDER / DISK_FILE).exists():
    hopspan.build(disk_vectors(), FOLDER / DISK_FILE, metric="cosine", seed=3)
    print(DISK_FILE, (FOLDER / DISK_FILE).stat().st_size)

for name in (FOLDER_NAME, CHANGED_FOLDER_NAME):
    if (FOLDER / name).exists():
        continue
    vectors = vectors_of(name)
    with hopspan.open(FOLDER / name, "a", **options_of(name)) as index:
        index.add(vectors[: ROWS // 2], IDS[: ROWS // 2])
        index.compact()
        index.add(vectors[ROWS // 2 : -1], IDS[ROWS // 2 : -1])
        index.add(vectors[-1], IDS[-1:])
        if "removed" in name:
            index.add(vectors[-1], IDS[:1])
            index.remove(IDS[1])
    print(name)
