"""Micro-benchmarks of the kernels: `pytest bench --benchmark-only`; HOPSPAN_ISA forces an instruction set.

A query meets random rows of a matrix that no cache holds, as in graph search; blocks meet blocks, as in exact search.
"""

import ctypes
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Shape = tuple[str, str, int]
METRICS = {"l2": 0, "ip": 1}
DTYPES = {"float32": (0, 4), "float16": (1, 2), "bfloat16": (2, 2), "int8": (3, 1), "uint8": (4, 1)}
DIMS = (50, 100, 128, 384, 960)
SHAPES = [
    *(("l2", "float32", dim) for dim in DIMS),
    *(("ip", "float32", dim) for dim in DIMS),
    *(
        (metric, dtype, dim)
        for metric, dtype in (("ip", "bfloat16"), ("l2", "float16"), ("l2", "uint8"))
        for dim in (128, 960)
    ),
]
MATRIX_BYTES = 1 << 28
ROWS = 4096
ROWS_A_CALL = 16
QUERIES = 1000
BLOCK = 256


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Build and load the C functions of bench/kernels."""
    build, source = tmp_path_factory.mktemp("kernels"), Path(__file__).parent / "kernels"
    cmake = Path(sysconfig.get_path("scripts"), "cmake")
    subprocess.run([cmake, "-G", "Ninja", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release"], check=True)
    subprocess.run([cmake, "--build", build], check=True)
    loaded = ctypes.CDLL(str(next(build.glob("*entry*"))))
    loaded.bench_isa.restype = ctypes.c_char_p
    loaded.bench_query_tile.restype = loaded.bench_row_tile.restype = ctypes.c_size_t
    return loaded


@pytest.fixture(scope="session")
def matrix() -> NDArray[np.uint8]:
    """Return random bytes that are moderate numbers whatever the dtype."""
    words = np.random.default_rng(0).integers(1 << 62, size=MATRIX_BYTES // 8, dtype=np.uint64)
    return (words & np.uint64(0x3B003B003B003B00)).view(np.uint8)


def visits(rows: int) -> Iterator[NDArray[np.uint32]]:
    """Yield random rows, others each time until the whole matrix has been visited about once."""
    slots = np.random.default_rng(1).integers(rows, size=(max(rows // ROWS, 1), ROWS), dtype=np.uint32)
    return cycle(slots)


def address(array: NDArray[Any]) -> ctypes.c_void_p:
    """Return where C finds the elements."""
    return ctypes.c_void_p(array.ctypes.data)


def gather(matrix: NDArray[np.uint8], shape: Shape, function: Any, *per_call: int) -> Callable[[], None]:
    """Return a call that visits ROWS rows."""
    metric, dtype, dim = shape
    number, size = DTYPES[dtype]
    query, out = np.full(dim + 1, 0.5, np.float32), np.empty(ROWS, np.float32)
    slots, stride = visits(len(matrix) // (dim * size)), ctypes.c_size_t(dim * size)
    sizes = [ctypes.c_size_t(value) for value in (ROWS, *per_call, dim)]
    rows = METRICS[metric], number, address(query), address(matrix), stride
    return lambda: function(*rows, address(next(slots)), *sizes, address(out))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_many(benchmark: Any, library: ctypes.CDLL, matrix: NDArray[np.uint8], shape: Shape) -> None:
    """4,096 rows, 16 a call, the ones ahead prefetched."""
    benchmark.extra_info["isa"] = library.bench_isa().decode()
    benchmark(gather(matrix, shape, library.bench_many, ROWS_A_CALL))


@pytest.mark.parametrize("dim", DIMS)
def test_one(benchmark: Any, library: ctypes.CDLL, matrix: NDArray[np.uint8], dim: int) -> None:
    """4,096 rows one by one."""
    benchmark.extra_info["isa"] = library.bench_isa().decode()
    benchmark(gather(matrix, ("l2", "float32", dim), library.bench_one))


@pytest.mark.parametrize("dim", DIMS)
def test_blocks(benchmark: Any, library: ctypes.CDLL, dim: int) -> None:
    """1,000 queries against 256 rows, packing the rows included."""
    query_tile, row_tile = library.bench_query_tile(), library.bench_row_tile()
    queries, rows = -(-QUERIES // query_tile) * query_tile, -(-BLOCK // row_tile) * row_tile
    panels, vectors = np.full((queries, dim), 0.5, np.float32), np.full((BLOCK, dim), 0.5, np.float32)
    room, out = np.empty((rows, dim), np.float32), np.empty((queries, rows), np.float32)
    sizes = [ctypes.c_size_t(value) for value in (QUERIES, BLOCK, dim)]
    benchmark.extra_info["isa"] = library.bench_isa().decode()
    benchmark(
        library.bench_blocks,
        address(panels),
        sizes[0],
        address(vectors),
        sizes[1],
        sizes[2],
        address(room),
        address(out),
    )
    assert out[0, 0] == pytest.approx(0.25 * dim)
