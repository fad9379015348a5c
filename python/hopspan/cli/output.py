"""What a command shows while it works, and files that are written whole or not at all."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self, TextIO

_BAR = 30
_REDRAW_SECONDS = 0.1
_LINE_SECONDS = 10.0


class Progress:
    """Shows done / total on stderr: a bar that goes when the work ends or, off a terminal, a line now and then."""

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._start = time.monotonic()
        self._shown = self._start
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()

    def __call__(self, done: int, total: int) -> None:
        """Show it, unless the last time was a moment ago."""
        now = time.monotonic()
        if now - self._shown < (_REDRAW_SECONDS if self._terminal else _LINE_SECONDS):
            return
        self._shown = now
        share = done / total if total else 1.0
        text = f"{self._label} {share:4.0%}  {done:,} of {total:,}{self._left(now, share)}"
        if self._terminal:
            self._write(f"[{'#' * int(share * _BAR):.<{_BAR}}] {text}")
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def _left(self, now: float, share: float) -> str:
        if share <= 0:
            return ""
        return f", {seconds((now - self._start) * (1 - share) / share)} left"

    def _write(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._width = len(text)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of `path` when the block ends well, and else leaves nothing behind."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def seconds(value: float) -> str:
    """Return a duration as people read it."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes = round(value / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def rate(count: int, duration: float) -> str:
    """Return how many a second, to two or three digits."""
    value = count / max(duration, 1e-9)
    digits = max(len(str(int(value))) - 3, 0)
    return f"{round(value, -digits):,.0f}/s"
