"""Files that are not what a save wrote: each is refused, and none does harm."""

import contextlib
import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

import hopspan
from reference import random_vectors

VECTORS = random_vectors("float32", 12, 4)
SMALL = {"M": 2, "ef_construction": 8}
KINDS = {
    "hnsw": SMALL,
    "flat": {"kind": "flat"},
    "cosine-uint8": {"metric": "cosine", "dtype": "uint8", **SMALL},
    "binary": {"metric": "hamming", "dtype": "binary", **SMALL},
}


@pytest.fixture(scope="module", params=KINDS)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    index = hopspan.Index(4, **KINDS[request.param])
    index.add(random_vectors(index.dtype, 12, 4), np.arange(12) * 5)
    path = tmp_path_factory.mktemp("saved") / "index"
    index.save(path)
    return path.read_bytes()


def flipped(content: bytes, bit: int) -> bytes:
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def test_every_flipped_bit_is_noticed(saved: bytes) -> None:
    rebuild, (_, threads) = hopspan.Index(4).__reduce__()
    for bit in range(8 * len(saved)):
        content = np.frombuffer(flipped(saved, bit), np.uint8)
        with pytest.raises(hopspan.CorruptIndexError):
            rebuild(content, threads)


def test_every_flipped_bit_of_lists_on_disk_is_noticed(tmp_path: Path) -> None:
    hopspan.build(VECTORS, tmp_path / "index", threads=1)
    saved = (tmp_path / "index").read_bytes()
    rebuild, (_, threads) = hopspan.load(tmp_path / "index").__reduce__()
    for bit in range(8 * len(saved)):
        content = np.frombuffer(flipped(saved, bit), np.uint8)
        with pytest.raises(hopspan.CorruptIndexError):
            rebuild(content, threads)


def write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # some file systems sync a file that is truncated and written again
    path.write_bytes(content)


@pytest.mark.parametrize("mmap", [True, False])
def test_a_flipped_bit_in_every_byte_of_a_file_is_noticed(saved: bytes, mmap: bool, tmp_path: Path) -> None:
    path = tmp_path / "index"
    for byte in range(len(saved)):
        write(path, flipped(saved, 8 * byte + byte % 8))
        with pytest.raises(hopspan.CorruptIndexError, match="index"):
            hopspan.load(path, mmap=mmap)


def test_without_verification_a_check_notices(saved: bytes, tmp_path: Path) -> None:
    path = tmp_path / "index"
    loaded = 0
    for bit in range(0, 8 * len(saved), 11):
        write(path, flipped(saved, bit))
        try:
            index = hopspan.load(path, verify=False)
        except hopspan.CorruptIndexError:
            continue
        loaded += 1
        with pytest.raises(hopspan.CorruptIndexError):
            index.check()
        use(index)
    assert loaded > 0


def use(index: hopspan.Index) -> None:
    """Call what reads or follows the damaged bytes: it gives results or an error, and the process lives."""
    queries = np.ones((3, index.dim), bool if index.dtype == "binary" else np.float32)
    for call in (lambda: index.search(queries, 12, ef=12), lambda: index.get([0, 55]), lambda: index.add(queries)):
        with contextlib.suppress(ValueError):  # an unknown id, or CorruptIndexError
            call()


def test_every_truncation_is_noticed(saved: bytes, tmp_path: Path) -> None:
    path = tmp_path / "index"
    for length in range(len(saved)):
        write(path, saved[:length])
        for verify in (True, False):
            with pytest.raises(hopspan.CorruptIndexError, match="index"):
                hopspan.load(path, verify=verify)


@pytest.mark.parametrize("more", [b"\0", b"x", b"\n" * 4096])
def test_appended_bytes_are_noticed(saved: bytes, more: bytes, tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(saved + more)
    with pytest.raises(hopspan.CorruptIndexError):
        hopspan.load(tmp_path / "index", verify=False)


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, VECTORS)
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("name", "content" * 100)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        b"not an index\n" * 100,
        npy(),
        zipped(),
        pickle.dumps([1.0] * 100),
        np.random.default_rng(0).bytes(10_000),
    ],
    ids=["empty", "zeros", "text", "npy", "zip", "pickle", "noise"],
)
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("mmap", [True, False])
def test_other_files(content: bytes, mmap: bool, verify: bool, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(hopspan.CorruptIndexError, match="other: not a hopspan file"):
        hopspan.load(tmp_path / "other", mmap=mmap, verify=verify)


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def with_header(saved: bytes, offset: int, value: int) -> bytes:
    """The file with another number in its header, under a right checksum (docs/file-format.md)."""
    header = bytearray(saved[:60])
    struct.pack_into("<I", header, offset, value)
    return bytes(header) + struct.pack("<I", crc32c(header)) + saved[64:]


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize(
    ("offset", "value", "message"), [(8, 2, "version 2.*up to 1"), (8, 2**32 - 1, "version 4294967295"), (12, 4, "0x4")]
)
def test_newer_files(saved: bytes, offset: int, value: int, message: str, verify: bool, tmp_path: Path) -> None:
    assert with_header(saved, 8, 1) == saved
    (tmp_path / "newer").write_bytes(with_header(saved, offset, value))
    with pytest.raises(hopspan.VersionError, match=f"newer.*{message}"):
        hopspan.load(tmp_path / "newer", verify=verify)


def test_bytes_of_two_files(saved: bytes, tmp_path: Path) -> None:
    index = hopspan.Index(4, M=2, ef_construction=8)
    index.add(VECTORS[::-1])
    index.save(tmp_path / "index")
    other = (tmp_path / "index").read_bytes()
    (tmp_path / "index").write_bytes(saved[:64] + other[64:])
    with pytest.raises(hopspan.CorruptIndexError):
        hopspan.load(tmp_path / "index", verify=False)
