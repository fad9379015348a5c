"""From the words of a command line to an exit code: 0, 1 for a damaged index, 2 for bad input, 130 for Ctrl-C."""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import TYPE_CHECKING

import hopspan
from hopspan.cli.arguments import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

DAMAGED = 1
BAD_INPUT = 2
INTERNAL_ERROR = 70  # sysexits.h
INTERRUPTED = 130  # 128 + SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = parse(words)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("hopspan: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter's last flush complains too
        return BROKEN_PIPE
    except Exception as error:
        if arguments.debug:
            traceback.print_exc()
        return _report(error)
    return 0


def _report(error: Exception) -> int:
    code = INTERNAL_ERROR
    message = " ".join(str(error).split())
    if isinstance(error, hopspan.CorruptIndexError):
        code = DAMAGED
    elif isinstance(error, OSError) and error.filename is not None:
        code, message = BAD_INPUT, f"{error.filename}: {error.strerror}"
    elif isinstance(error, MemoryError):
        code, message = BAD_INPUT, message or "not enough memory"
    elif isinstance(error, OSError | ValueError | TypeError | hopspan.Error):
        code = BAD_INPUT
    else:
        message = f"unexpected {type(error).__name__}: {message}; --debug shows where"
    print(f"hopspan: {message}", file=sys.stderr)
    return code
