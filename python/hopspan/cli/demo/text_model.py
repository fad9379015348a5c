"""A small text model: the first half of a vector tells what a text is about, the second half which words it has.

Words are weighed by TF-IDF. The first half is latent semantic analysis: the matrix (texts, words) projected on its
strongest right singular vectors, found by randomised subspace iteration (Halko, Martinsson & Tropp, arXiv 0909.4061).
The second half adds up one random vector of signs for each word, which keeps the angles between the rows of the matrix
about as they are (Achlioptas, 2003).
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    AnyArray = NDArray[Any]
    Floats = NDArray[np.floating[Any]]
    Places = NDArray[np.int64]

_TOPICS = 128
_SIGNS = 128
_OVERSAMPLED = 16
_ITERATIONS = 2
_FAINT = 0.1  # a text that topics explain less than this keeps a short first half, in place of blown-up noise
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")  # the parts of camelCase and snake_case too
_SUFFIXES = ("ings", "ing", "ies", "ers", "er", "ions", "ion", "ed", "es", "s", "e")


@dataclass(frozen=True)
class Sparse:
    """A sparse matrix: values[i] stands at (rows[i], columns[i])."""

    rows: Places
    columns: Places
    values: Floats
    shape: tuple[int, int]

    def __matmul__(self, dense: AnyArray) -> Floats:
        product = np.empty((dense.shape[1], self.shape[0]))
        for sums, column in zip(product, np.ascontiguousarray(dense.T), strict=True):
            sums[:] = np.bincount(self.rows, self.values * column[self.columns], self.shape[0])
        return product.T

    @property
    def transposed(self) -> Self:
        """The same with rows for columns."""
        return type(self)(self.columns, self.rows, self.values, self.shape[::-1])


@dataclass(frozen=True)
class TextModel:
    """Makes vectors of texts, of `dim` elements each."""

    vocabulary: dict[str, int]
    rarity: Floats
    topics: Floats
    signs: NDArray[np.int8]

    @classmethod
    def fit(cls, texts: Sequence[str], seed: int) -> Self:
        """Learn from texts."""
        words = sorted({word for text in texts for word in _words(text)})
        vocabulary = {word: column for column, word in enumerate(words)}
        counts = _count(texts, vocabulary)
        rarity = np.log((len(texts) + 1) / (np.bincount(counts.columns, minlength=len(words)) + 0.5))
        random = np.random.default_rng(seed)
        topics = _strongest(_weigh(counts, rarity), _TOPICS, random)
        signs = random.integers(0, 2, (len(words), _SIGNS), np.int8) * 2 - 1
        return cls(vocabulary, rarity, topics.astype(np.float32), signs.astype(np.int8))

    @property
    def dim(self) -> int:
        """Elements of a vector."""
        return int(self.topics.shape[1] + self.signs.shape[1])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (texts, dim) vectors, zeros for a text without a known word. Compare them by cosine."""
        weights = _weigh(_count(texts, self.vocabulary), self.rarity)
        halves = [_unit(weights @ self.topics, _FAINT), _unit(weights @ self.signs, _FAINT)]
        return np.hstack(halves).astype(np.float32)

    def save(self, file: BinaryIO) -> None:
        """Write a .npz file."""
        words = np.array(list(self.vocabulary))
        np.savez(file, words=words, rarity=self.rarity, topics=self.topics, signs=self.signs)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        try:
            with path.open("rb") as source, np.load(source) as file:
                vocabulary = {str(word): column for column, word in enumerate(file["words"])}
                return cls(vocabulary, file["rarity"], file["topics"], file["signs"])
        except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is not a saved text model: {error}") from error


def _words(text: str) -> list[str]:
    return [word for word in map(_stem, _WORD.findall(text)) if len(word) > 1]


@cache
def _stem(word: str) -> str:
    """Make parse, parses, parsing and parser one word."""
    word = word.lower()
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word.removesuffix(suffix)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def _count(texts: Sequence[str], vocabulary: dict[str, int]) -> Sparse:
    """Return how often each text has each known word."""
    places = [
        row * len(vocabulary) + vocabulary[word]
        for row, text in enumerate(texts)
        for word in _words(text)
        if word in vocabulary
    ]
    distinct, counts = np.unique(np.array(places, np.int64), return_counts=True)
    rows, columns = np.divmod(distinct, max(len(vocabulary), 1))
    return Sparse(rows, columns, counts.astype(np.float64), (len(texts), len(vocabulary)))


def _weigh(counts: Sparse, rarity: Floats) -> Sparse:
    """Return TF-IDF weights in rows of length 1."""
    values = (1 + np.log(counts.values)) * rarity[counts.columns]
    lengths = np.sqrt(np.bincount(counts.rows, values**2, counts.shape[0]))
    return Sparse(counts.rows, counts.columns, values / lengths[counts.rows], counts.shape)


def _strongest(matrix: Sparse, count: int, random: np.random.Generator) -> Floats:
    """Return up to `count` right singular vectors of the largest singular values, as columns."""
    basis: Floats = random.standard_normal((matrix.shape[1], count + _OVERSAMPLED))
    for _ in range(_ITERATIONS):
        product = matrix.transposed @ (matrix @ basis)
        squares, axes = _principal_axes(product)
        basis = product @ (axes / np.sqrt(squares))
    _, axes = _principal_axes(matrix @ basis)
    return basis @ axes[:, :count]


def _principal_axes(points: Floats) -> tuple[Floats, Floats]:
    """Return the eigenvalues that are not zero of points.T @ points, largest first, and their eigenvectors."""
    squares, axes = np.linalg.eigh(points.T @ points)
    kept = np.flatnonzero(squares > squares[-1] * 1e-10)[::-1]
    return squares[kept], axes[:, kept]


def _unit(vectors: Floats, least: float) -> Floats:
    """Scale rows to length 1, those shorter than `least` by 1 / least."""
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, least)
