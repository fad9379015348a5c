"""A folder that can be searched by meaning: passages, the model that made their vectors, and the index of these."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import hopspan
from hopspan.cli.demo.corpus import Passage
from hopspan.cli.demo.text_model import TextModel
from hopspan.cli.output import replacing

if TYPE_CHECKING:
    from pathlib import Path

_INDEX = "index.hopspan"
_MODEL = "model.npz"
_PASSAGES = "passages.json"
_ANSWERS = 3


@dataclass(frozen=True)
class Library:
    """Passage i has id i in the index."""

    passages: list[Passage]
    model: TextModel
    index: hopspan.Index

    def answer(self, question: str) -> str:
        """Return the question and the passages nearest to it, as lines of text."""
        vector = self.model.embed([question])[0]
        if not vector.any():
            return f"{question}\n    (none of these words is in the documentation)"
        ids, distances = self.index.search(vector, _ANSWERS)
        lines = [question]
        for place, distance in zip(ids.tolist(), distances.tolist(), strict=True):
            name, text = self.passages[place]
            lines.append(
                f"    {1 - distance:.3f}  {_ending(name, 40):40}  {textwrap.shorten(text, 66, placeholder='...')}"
            )
        return "\n".join(lines)

    def save(self, folder: Path) -> int:
        """Write three files and return their bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / _PASSAGES) as file:
            file.write(json.dumps(self.passages).encode())
        with replacing(folder / _MODEL) as file:
            self.model.save(file)
        self.index.save(folder / _INDEX)
        return sum((folder / name).stat().st_size for name in (_PASSAGES, _MODEL, _INDEX))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        index = hopspan.load(folder / _INDEX)
        model = TextModel.load(folder / _MODEL)
        passages = _read_passages(folder / _PASSAGES)
        if len(passages) != len(index) or model.dim != index.dim:
            raise ValueError(
                f"{folder} mixes files: {len(passages):,} passages and {len(index):,} vectors, "
                f"of {model.dim} and {index.dim} dimensions"
            )
        return cls(passages, model, index)


def _read_passages(path: Path) -> list[Passage]:
    try:
        return [Passage(*pair) for pair in json.loads(path.read_bytes())]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is not a list of passages: {error}") from error


def _ending(name: str, width: int) -> str:
    return name if len(name) <= width else "..." + name[3 - width :]
