"""Approximate nearest-neighbour search.

>>> import numpy as np, hopspan
>>> index = hopspan.Index(dim=64)
>>> ids = index.add(np.random.default_rng(0).standard_normal((1000, 64)))
>>> ids, distances = index.search(index.get([7]), k=3)
"""

from hopspan._core import __version__
from hopspan.building import build
from hopspan.durable import DurableIndex, Recovery, open  # noqa: A004  like gzip.open
from hopspan.errors import CorruptIndexError, Error, LockedError, VersionError
from hopspan.index import CheckReport, Index, Neighbors, TunePoint, load

__all__ = [
    "CheckReport",
    "CorruptIndexError",
    "DurableIndex",
    "Error",
    "Index",
    "LockedError",
    "Neighbors",
    "Recovery",
    "TunePoint",
    "VersionError",
    "__version__",
    "build",
    "load",
    "open",
]
