"""What the command line does when a command cannot run or is stopped: one line, an exit code, no half-made file."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hopspan
from hopspan.cli import commands
from hopspan.cli.main import main
from hopspan.cli.output import Progress

HOPSPAN = [sys.executable, "-m", "hopspan"]
COMMANDS = ["build", "search", "info", "check", "demo"]
# Shows progress at once, and heeds Ctrl-C where a shell started the tests in the background and so with it ignored.
TALKATIVE = """
import signal, sys
from hopspan.cli import main, output
signal.signal(signal.SIGINT, signal.default_int_handler)
output._LINE_SECONDS = 0
sys.exit(main.main())
"""
VECTORS = np.random.default_rng(0).standard_normal((100, 8), dtype=np.float32)

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: an index, vectors of its dimension and of another one, a bad row, a folder."""
    monkeypatch.chdir(tmp_path)
    np.save("vectors.npy", VECTORS)
    np.save("narrow.npy", VECTORS[:, :5])
    np.save("nan.npy", np.where(np.arange(100)[:, None] == 41, np.nan, VECTORS))
    Path("sub").mkdir()
    Path("text.npy").write_text("no vectors")
    assert main(["build", "vectors.npy", "index"]) == 0
    return tmp_path


def names_here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def call(*words: str) -> int:
    """The exit code, also where argparse exits."""
    try:
        return main(words)
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "COMMAND"),
        ("destroy index", "destroy"),
        ("build vectors.npy", "INDEX"),
        ("build vectors.npy new --M many", "many"),
        ("build vectors.npy new --metric taxicab", "taxicab"),
        ("build vectors.npy new --M 1", "1"),
        ("build vectors.npy new --kind flat --M 16", "M"),
        ("build vectors.npy new --profile slow", "slow"),
        ("build vectors.npy new --kind flat --profile fast", "profile"),
        ("build vectors.npy new --ef-construction 3", "3"),
        ("build vectors.npy new --dtype binary", "binary"),
        ("build vectors.npy new --seed -1", "-1"),
        ("build vectors.npy new --threads 0", "0"),
        ("build missing.npy new", "missing.npy: No such file"),
        ("build index new", "suffix ''"),
        ("build text.npy new", "text.npy is not a .npy file"),
        ("build nan.npy new", "41"),
        ("build vectors.npy sub", "sub is a folder"),
        ("build vectors.npy none/new", "none is not a folder"),
        ("build vectors.npy vectors.npy", "vectors.npy is an input and the output"),
        ("build vectors.npy sub/../vectors.npy", "is an input and the output"),
        ("search index narrow.npy", "5"),
        ("search index nan.npy", "41"),
        ("search index vectors.npy -k 0", "0"),
        ("search index vectors.npy -k 20 --ef 19", "19"),
        ("search index vectors.npy --recall 1.5", "recall"),
        ("search index vectors.npy --recall 0.9 --ef 50", "--ef"),
        ("search index vectors.npy --show -1", "-1"),
        ("search index vectors.npy --out none/found.npz", "none is not a folder"),
        ("search index vectors.npy --out index", "index is an input and the output"),
        ("search missing vectors.npy", "missing"),
        ("info missing", "missing"),
        ("info sub", "sub"),
        ("check missing", "missing"),
        ("demo --limit 19", "19"),
        ("demo --load missing", "missing"),
        ("demo --load a --keep b", "--keep"),
    ],
)
def test_bad_input_is_exit_code_2(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    capsys.readouterr()
    assert call(*line.split()) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("hopspan: ")
    assert streams.err.count("\n") == 1
    assert re.search(rf"(?<!\w){re.escape(said)}(?!\w)", streams.err), streams.err
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before


def test_folder_without_permission(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # Said by a stand-in, because the superuser may write everywhere.
    monkeypatch.setattr(commands.os, "access", lambda path, mode: (path, mode) != (Path("sub"), os.W_OK))
    assert main(["build", "vectors.npy", "sub/new"]) == 2
    assert "sub is not writable" in capsys.readouterr().err
    assert main(["build", "vectors.npy", "new"]) == 0


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "missing.npy", "new", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyError("lost"), 70, "hopspan: unexpected KeyError: 'lost'; --debug shows where\n"),
        (MemoryError(), 2, "hopspan: not enough memory\n"),
        (hopspan.CorruptIndexError("block 3\nis bad"), 1, "hopspan: block 3 is bad\n"),
        (hopspan.VersionError("version 9"), 2, "hopspan: version 9\n"),
        (OSError(28, "No space left on device", "new"), 2, "hopspan: new: No space left on device\n"),
        (KeyboardInterrupt(), 130, "hopspan: interrupted\n"),
    ],
)
def test_exit_codes(
    error: BaseException,
    code: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(commands, "check", fail)
    capsys.readouterr()
    assert main(["check", "index"]) == code
    assert capsys.readouterr().err == line


def test_interrupted_build_leaves_the_old_index(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: Progress, done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "__call__", interrupt)
    before, names = Path("index").read_bytes(), names_here()
    assert main(["build", "vectors.npy", "index", "--metric", "cosine"]) == 130
    assert Path("index").read_bytes() == before
    assert names_here() == names


def test_interrupted_results_leave_the_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(file: object, **_: object) -> None:
        raise KeyboardInterrupt

    Path("found.npz").write_text("old")
    names = names_here()
    monkeypatch.setattr(np, "savez", interrupt)
    assert main(["search", "index", "vectors.npy", "--out", "found.npz"]) == 130
    assert Path("found.npz").read_text() == "old"
    assert names_here() == names


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C alone there")
def test_ctrl_c() -> None:
    np.save("many.npy", np.random.default_rng(0).standard_normal((200_000, 32), dtype=np.float32))
    names = names_here()
    command = [sys.executable, "-c", TALKATIVE, "build", "many.npy", "new"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("building new")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "hopspan: interrupted"
    assert "Traceback" not in err
    assert out == ""
    assert names_here() == names


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_reader_that_leaves_early() -> None:
    command = [*HOPSPAN, "search", "index", "vectors.npy", "-k", "100", "--show", "100"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().split()[0] == "query"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_parse(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(command, "--help") == 0
    text = capsys.readouterr().out
    examples = re.findall(rf"^  python -m hopspan {command} ?(.*)$", text, flags=re.M)
    assert examples
    options = {word for example in examples for word in example.split() if word.startswith("-")}
    assert all(option in text.split("examples:")[0] for option in options)


def test_module_and_version() -> None:
    done = subprocess.run([*HOPSPAN, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"hopspan {hopspan.__version__}\n"
    done = subprocess.run([*HOPSPAN, "info", "missing"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")


def test_importing_the_library_leaves_the_command_line_out() -> None:
    program = "import sys, hopspan; print([name for name in sys.modules if name.startswith('hopspan.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "hopspan.index" in done.stdout
    assert "cli" not in done.stdout
    assert "datasets" not in done.stdout
