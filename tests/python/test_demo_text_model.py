"""The demo's text model against dense linear algebra, and on texts of every kind."""

import io
from pathlib import Path

import numpy as np
import pytest

from hopspan.cli.demo import text_model
from hopspan.cli.demo.text_model import TextModel

RNG = np.random.default_rng(0)
WORDS = ["".join(RNG.choice(list("bcdfgklmnprtv"), 4)) for _ in range(300)]
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(3, 30))) for _ in range(500)]
MODEL = TextModel.fit(TEXTS, seed=0)


def weights() -> np.ndarray:
    """TF-IDF rows of length 1, dense and word by word."""
    split = [[text_model._stem(word) for word in text.split()] for text in TEXTS]
    rows = np.zeros((len(TEXTS), len(MODEL.vocabulary)))
    for row, words in zip(rows, split, strict=True):
        for word in set(words):
            frequency = sum(word in others for others in split)
            row[MODEL.vocabulary[word]] = (1 + np.log(words.count(word))) * np.log((501) / (frequency + 0.5))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_weights_are_tf_idf() -> None:
    found = text_model._weigh(text_model._count(TEXTS, MODEL.vocabulary), MODEL.rarity)
    dense = np.zeros(found.shape)
    dense[found.rows, found.columns] = found.values
    np.testing.assert_allclose(dense, weights(), atol=1e-12)


def test_topics_are_the_strongest_singular_vectors() -> None:
    rows = weights()
    values = np.linalg.svd(rows, compute_uv=False)
    np.testing.assert_allclose(MODEL.topics.T @ MODEL.topics, np.eye(128), atol=1e-5)
    captured = np.linalg.norm(rows @ MODEL.topics) ** 2
    best = (values[:128] ** 2).sum()
    assert 0.95 * best < captured <= best * (1 + 1e-6)


def test_second_half_keeps_angles() -> None:
    rows, vectors = weights(), MODEL.embed(TEXTS)[:, 128:]
    errors = (vectors @ vectors.T - rows @ rows.T)[~np.eye(len(rows), dtype=bool)]
    assert abs(errors.mean()) < 0.01
    assert errors.std() < 1.1 / np.sqrt(128)


def test_halves_are_of_length_1() -> None:
    vectors = MODEL.embed(TEXTS)
    assert vectors.shape == (500, MODEL.dim) == (500, 256)
    assert vectors.dtype == np.float32
    for half in (vectors[:, :128], vectors[:, 128:]):
        np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("text", ["", "zzyzx", "\u4f60\u597d", "? !", "a"])
def test_text_without_a_known_word(text: str) -> None:
    vectors = MODEL.embed([text, WORDS[0]])
    assert not vectors[0].any()
    assert vectors[1].any()


def test_unknown_words_do_not_count() -> None:
    np.testing.assert_array_equal(MODEL.embed([f"zzyzx {WORDS[0]}"]), MODEL.embed([WORDS[0]]))


def test_faint_topics_are_not_blown_up() -> None:
    texts = [*(f"apple banana cherry{i % 3 * ' apple'}" for i in range(300)), "lonely"]
    vector = TextModel.fit(texts, seed=0).embed(["lonely"])[0]
    assert np.linalg.norm(vector[-128:]) == pytest.approx(1, rel=1e-5)


def test_the_seed_makes_the_model() -> None:
    same, other = TextModel.fit(TEXTS, seed=0), TextModel.fit(TEXTS, seed=1)
    np.testing.assert_array_equal(same.embed(TEXTS), MODEL.embed(TEXTS))
    assert not np.array_equal(other.signs, MODEL.signs)


def test_few_texts_have_fewer_topics() -> None:
    model = TextModel.fit(["red green", "green blue", "blue red"], seed=0)
    assert model.topics.shape == (3, 3)
    assert np.isfinite(model.embed(["red", "blue green"])).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parses parsing parsed parser", ["pars"] * 4),
        ("urlopen HTTPServer snake_case2", ["urlopen", "http", "serv", "snak", "cas"]),
        ("base64 utf8 sha256", ["bas", "64", "utf", "sha", "256"]),
        ("running runs", ["run", "run"]),
        ("is as", ["is", "as"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert text_model._words(text) == words


def test_save_and_load(tmp_path: Path) -> None:
    with (tmp_path / "model.npz").open("wb") as file:
        MODEL.save(file)
    loaded = TextModel.load(tmp_path / "model.npz")
    assert loaded.vocabulary == MODEL.vocabulary
    np.testing.assert_array_equal(loaded.embed(TEXTS), MODEL.embed(TEXTS))


def test_load_of_another_file(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    other = io.BytesIO()
    np.savez(other, words=np.array(["a"]))
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    for content in (b"", b"text", b"PK\x03\x04 and no more", other.getvalue(), array.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"model\.npz"):
            TextModel.load(path)
