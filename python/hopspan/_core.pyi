"""The extension module. It checks scalars; hopspan._inputs makes the arrays; hopspan.index documents both."""

from collections.abc import Callable, Mapping
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

__version__: str

def build_array(
    rows: NDArray[Any],
    dtype: str,
    path: str,
    options: Mapping[str, object],
    progress: Callable[[str, int, int], object] | None,
    /,
) -> None: ...
def build_file(
    file: str,
    offset: SupportsIndex,
    rows: SupportsIndex,
    dtype: str,
    path: str,
    options: Mapping[str, object],
    progress: Callable[[str, int, int], object] | None,
    /,
) -> None: ...

class Index:
    def __init__(
        self,
        dim: SupportsIndex,
        metric: str,
        kind: str,
        dtype: str,
        seed: SupportsIndex,
        options: Mapping[str, object],
        /,
    ) -> None: ...
    def add(
        self,
        vectors: object,
        ids: NDArray[np.int64] | None,
        progress: Callable[[int, int], object] | None,
        threads: SupportsIndex | None,
        /,
    ) -> NDArray[np.int64]: ...
    def remove(self, ids: NDArray[np.int64], threads: SupportsIndex | None, /) -> int: ...
    def search(
        self,
        queries: object,
        k: SupportsIndex,
        recall: float | None,
        ef: SupportsIndex | None,
        nprobe: SupportsIndex | None,
        threads: SupportsIndex | None,
        /,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...
    def tune(
        self, queries: object, k: SupportsIndex, threads: SupportsIndex | None, /
    ) -> list[tuple[float, int, float, float, float]]: ...
    def get(self, ids: NDArray[np.int64], /) -> NDArray[Any]: ...
    def __contains__(self, item: object, /) -> bool: ...
    def __len__(self) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def metric(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    def stats(self) -> dict[str, Any]: ...
    def check(self, deep: bool, /) -> tuple[int, int, int]: ...
    def save(self, path: str, /) -> None: ...
    @staticmethod
    def load(path: str, mmap: bool, verify: bool, cache: SupportsIndex, /) -> Index: ...
    def to_bytes(self) -> NDArray[np.uint8]: ...
    @staticmethod
    def from_bytes(saved: NDArray[np.uint8], /) -> Index: ...

class DurableIndex(Index):
    def __init__(
        self,
        path: str,
        mode: str,
        sync: bool,
        threads: SupportsIndex | None,
        given: Mapping[str, object],
        options: Mapping[str, object],
        /,
    ) -> None: ...
    def flush(self, /) -> None: ...
    def compact(self, /) -> None: ...
    def refresh(self, /) -> bool: ...
    def close(self, /) -> None: ...
    def recovery(self, /) -> tuple[int, int, int, int, int, int]: ...
