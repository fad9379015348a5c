"""The commands build, search, info and check: their results and files."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

import hopspan
from hopspan.cli.main import main

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((300, 16), dtype=np.float32)
QUERIES = RNG.standard_normal((20, 16), dtype=np.float32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with vectors.npy and queries.npy."""
    np.save(tmp_path / "vectors.npy", VECTORS)
    np.save(tmp_path / "queries.npy", QUERIES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def nearest(vectors: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    squares = ((queries[:, None].astype(float) - vectors[None].astype(float)) ** 2).sum(2)
    ids = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return ids, np.take_along_axis(squares, ids, 1)


def run(*words: str) -> None:
    assert main(words) == 0


def test_build_and_search_agree_with_brute_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("build", "vectors.npy", "index", "--kind", "flat")
    assert "index: flat, 300 vectors of 16 dimensions, l2, float32" in capsys.readouterr().out
    run("search", "index", "queries.npy", "-k", "4", "--out", "found.npz", "--show", "2")
    ids, distances = nearest(VECTORS, QUERIES, 4)
    with np.load("found.npz") as found:
        np.testing.assert_array_equal(found["ids"], ids)
        np.testing.assert_allclose(found["distances"], distances, rtol=1e-5)
    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines[1:9]]
    assert lines[0].split() == ["query", "rank", "id", "distance"]
    assert [(int(query), int(rank), int(name)) for query, rank, name, _ in table] == [
        (query, rank + 1, ids[query, rank]) for query in range(2) for rank in range(4)
    ]
    np.testing.assert_allclose([float(row[3]) for row in table], distances[:2].ravel(), rtol=1e-4)
    assert lines[9].split()[1:] == ["18", "more", "queries"]
    assert lines[10].startswith("20 queries, k=4: ")
    assert len(lines) == 11


def test_options_of_build_reach_the_index(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--metric", "cosine", "--dtype", "float16", "--M", "5", "--ef-construction", "50"]
    run("build", "vectors.npy", "index", *words)
    index = hopspan.load("index")
    assert (index.metric, index.kind, index.dtype, len(index)) == ("cosine", "hnsw", "float16", 300)
    assert 5 < index.stats()["max_degree"] <= 10


def test_a_profile_is_that_of_the_library(folder: Path) -> None:
    run("build", "vectors.npy", "index", "--profile", "fast")
    index = hopspan.Index(VECTORS.shape[1], profile="fast")
    index.add(VECTORS)
    index.save("same")
    assert Path("index").read_bytes() == Path("same").read_bytes()


def test_the_seed_and_not_the_threads_make_the_index(folder: Path) -> None:
    for name, words in {"a": ["--seed", "1", "--threads", "1"], "b": ["--seed", "1"], "c": ["--seed", "2"]}.items():
        run("build", "vectors.npy", name, *words)
    assert Path("a").read_bytes() == Path("b").read_bytes() != Path("c").read_bytes()


@pytest.mark.parametrize(
    ("dtype", "stored"), [("f8", "float32"), ("f2", "float16"), ("u1", "uint8"), ("i1", "int8"), ("i4", "float32")]
)
def test_stored_like_the_source(folder: Path, dtype: str, stored: str) -> None:
    np.save("numbers.npy", RNG.integers(0, 100, (50, 8)).astype(dtype))
    run("build", "numbers.npy", "index")
    assert hopspan.load("index").dtype == stored


@pytest.mark.parametrize("packed", [False, True])
def test_bits(folder: Path, capsys: pytest.CaptureFixture[str], packed: bool) -> None:
    bits = RNG.random((40, 24)) < 0.5
    np.save("bits.npy", np.packbits(bits, axis=1) if packed else bits)
    run("build", "bits.npy", "index", "--kind", "flat", *(["--metric", "hamming"] if packed else []))
    run("search", "index", "bits.npy", "-k", "3", "--out", "found.npz")
    apart = (bits[:, None] != bits[None]).sum(2)
    with np.load("found.npz") as found:
        np.testing.assert_array_equal(found["ids"], np.argsort(apart, axis=1, kind="stable")[:, :3])
        np.testing.assert_array_equal(found["distances"], np.sort(apart, axis=1)[:, :3])
    assert "40 vectors of 24 bits, hamming, binary" in capsys.readouterr().out


@pytest.fixture
def benchmark_file(folder: Path) -> Path:
    """An ann-benchmarks file; the first of the 10 neighbours of each query is a wrong one."""
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    ids, distances = nearest(unit, QUERIES / np.linalg.norm(QUERIES, axis=1, keepdims=True), 10)
    ids[:, 0] = nearest(-unit, QUERIES, 1)[0][:, 0]
    with h5py.File("set.hdf5", "w") as file:
        file["train"], file["test"], file["neighbors"], file["distances"] = VECTORS, QUERIES, ids, distances
        file.attrs["distance"] = "angular"
    return folder / "set.hdf5"


@pytest.mark.usefixtures("benchmark_file")
def test_ann_benchmarks_file(capsys: pytest.CaptureFixture[str]) -> None:
    run("build", "set.hdf5", "index", "--kind", "flat")
    run("search", "index", "set.hdf5", "-k", "5", "--show", "0")
    out = capsys.readouterr().out
    assert "300 vectors of 16 dimensions, cosine, float32" in out
    assert out.splitlines()[-1] == "recall@5 0.8000"


@pytest.mark.usefixtures("benchmark_file")
def test_recall_that_cannot_be_known(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("part.npy", VECTORS[:200])
    run("build", "set.hdf5", "index", "--kind", "flat")
    run("build", "part.npy", "other", "--kind", "flat", "--metric", "cosine")
    run("search", "index", "set.hdf5", "-k", "11")
    assert "recall unknown: the file has 10 true neighbours of a query, fewer than k=11" in capsys.readouterr().out
    run("search", "other", "set.hdf5")
    assert "among 300 vectors, the index has 200" in capsys.readouterr().out


def test_more_effort_finds_more(folder: Path) -> None:
    np.save("many.npy", RNG.standard_normal((3000, 16), dtype=np.float32))
    run("build", "many.npy", "index", "--M", "4", "--ef-construction", "10")
    ids = {}
    for name, words in {"1": ["--ef", "10"], "2": ["--ef", "1000"], "3": ["--recall", "0.99"]}.items():
        run("search", "index", "queries.npy", "--out", name, "--threads", "1", *words)
        with np.load(name) as found:
            ids[name] = found["ids"]
    truth = nearest(np.load("many.npy"), QUERIES, 10)[0]
    hits = {name: sum(len(set(a) & set(b)) for a, b in zip(found, truth, strict=True)) for name, found in ids.items()}
    assert hits["1"] + 20 < hits["2"] <= 200
    assert hits["1"] + 20 < hits["3"]


def test_more_queries_than_one_batch(folder: Path) -> None:
    queries = RNG.standard_normal((2500, 16), dtype=np.float32)
    np.save("queries.npy", queries)
    run("build", "vectors.npy", "index", "--kind", "flat")
    run("search", "index", "queries.npy", "-k", "1", "--out", "found.npz")
    with np.load("found.npz") as found:
        np.testing.assert_array_equal(found["ids"], nearest(VECTORS, queries, 1)[0])


def test_fewer_vectors_than_k(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("two.npy", VECTORS[:2])
    run("build", "two.npy", "index")
    run("search", "index", "queries.npy", "-k", "3", "--show", "1")
    assert capsys.readouterr().out.splitlines()[-3].split() == ["0", "3", "-1", "inf"]


def test_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("build", "vectors.npy", "index")
    capsys.readouterr()
    run("info", "index", "--json")
    about = json.loads(capsys.readouterr().out)
    assert about["path"] == "index"
    assert about["file_bytes"] == Path("index").stat().st_size
    assert {name: about[name] for name in ("kind", "dim", "metric", "dtype", "size")} == {
        "kind": "hnsw",
        "dim": 16,
        "metric": "l2",
        "dtype": "float32",
        "size": 300,
    }
    assert about["level_sizes"][0] == 300
    run("info", "index")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "index: hnsw, 300 vectors of 16 dimensions, l2, float32"
    rows = [line.split()[0] for line in lines[1:]]
    assert rows == ["file", *about["bytes"], "levels", "links", "walked"]
    assert f"at most {about['max_degree']}" in lines[-2]
    assert lines[-1].split(maxsplit=2)[2] == "the vectors"


def test_info_of_an_exact_index(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("build", "vectors.npy", "index", "--kind", "flat")
    run("info", "index")
    assert "links" not in capsys.readouterr().out


def test_check_of_a_sound_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("build", "vectors.npy", "index")
    report = hopspan.load("index").check()
    capsys.readouterr()
    run("check", "index")
    sound = f"sound: every checksum holds, {report.links:,} links"
    assert capsys.readouterr().out.splitlines()[-1] == f"{sound}, 300 vectors within reach"
    run("check", "index", "--shallow")
    assert capsys.readouterr().out.splitlines()[-1] == sound


@pytest.mark.parametrize("command", ["check", "search"])
def test_damage_is_exit_code_1(folder: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    run("build", "vectors.npy", "index")
    content = bytearray(Path("index").read_bytes())
    content[len(content) // 2] ^= 1
    Path("index").write_bytes(content)
    capsys.readouterr()
    assert main([command, "index", *(["queries.npy"] if command == "search" else [])]) == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("hopspan: ")
    assert streams.err.count("\n") == 1


@pytest.mark.parametrize("words", [["check"], ["check", "--shallow"]])
def test_check_notices_damage_everywhere(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    run("build", "vectors.npy", "index")
    content = Path("index").read_bytes()
    for place in range(0, len(content), len(content) // 50):
        Path("damaged").write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        assert main([*words, "damaged"]) == 1, place
    assert capsys.readouterr().err.count("\n") == 51


@pytest.mark.parametrize("command", ["check", "info", "search"])
@pytest.mark.parametrize("content", [b"", b"some text, and not an index of any kind" * 100])
def test_another_programs_file_is_exit_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, content: bytes
) -> None:
    Path("index").write_bytes(content)
    assert main([command, "index", *(["queries.npy"] if command == "search" else [])]) == 1
    assert "index" in capsys.readouterr().err


def test_build_replaces_an_index(folder: Path) -> None:
    run("build", "vectors.npy", "index", "--metric", "cosine")
    run("build", "vectors.npy", "index")
    assert hopspan.load("index").metric == "l2"
