"""Progress on a terminal and off it, files written whole or not at all, numbers as people read them."""

import io
from pathlib import Path

import pytest

from hopspan.cli import output
from hopspan.cli.output import Progress, rate, replacing, seconds, size


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True

    def rows(self) -> list[str]:
        """What stood on the last line at each redraw."""
        return [row.rstrip() for row in self.getvalue().split("\r")]


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(output.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_bar_on_a_terminal(clock: Clock) -> None:
    screen = Screen()
    with Progress("building", screen) as progress:
        progress(0, 4000)
        for done in (1000, 2000):
            clock.now += 5
            progress(done, 4000)
            progress(done + 1, 4000)
        assert screen.rows() == [
            "",
            "[#######.......................] building  25%  1,000 of 4,000, 15.0 s left",
            "[###############...............] building  50%  2,000 of 4,000, 10.0 s left",
        ]
    assert screen.rows()[-2:] == ["", ""]
    assert "\n" not in screen.getvalue()
    longest = max(map(len, screen.getvalue().split("\r")))
    assert len(screen.getvalue().split("\r")[-2]) == longest


def test_bar_goes_when_the_work_fails(clock: Clock) -> None:
    screen = Screen()

    def work() -> None:
        with Progress("building", screen) as progress:
            clock.now += 1
            progress(1, 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert screen.rows()[-2:] == ["", ""]


def test_lines_off_a_terminal(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress("building", stream) as progress:
        for done in range(25):
            clock.now += 1
            progress(done, 25)
    assert stream.getvalue().splitlines() == [
        "building  36%  9 of 25, 17.8 s left",
        "building  76%  19 of 25, 6.3 s left",
    ]


def test_quick_work_shows_nothing(clock: Clock) -> None:
    for stream in (Screen(), io.StringIO()):
        with Progress("building", stream) as progress:
            progress(0, 10)
            progress(10, 10)
        assert stream.getvalue() == ""


def test_no_work_at_all(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress("building", stream) as progress:
        clock.now += 11
        progress(0, 0)
    assert stream.getvalue() == "building 100%  0 of 0, 0 ms left\n"


def test_replacing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"one", b"two"):
        with replacing(path) as file:
            file.write(content)
            assert not path.exists() or path.read_bytes() == b"one"
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("old", [None, b"old"])
def test_replacing_that_fails(tmp_path: Path, old: bytes | None) -> None:
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)

    def write() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert {name.name: name.read_bytes() for name in tmp_path.iterdir()} == ({} if old is None else {"file": old})


def test_numbers() -> None:
    assert [seconds(value) for value in (0.0042, 5.25, 59, 119, 7300)] == [
        "4 ms",
        "5.2 s",
        "59.0 s",
        "2 min",
        "2 h 2 min",
    ]
    assert [size(value) for value in (0, 999, 1500, 25_500_000, 10**9, 3 * 10**12)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "25.5 MB",
        "1 GB",
        "3.0 TB",
    ]
    assert [rate(*pair) for pair in ((1000, 0.0811), (7, 2.0), (10, 0.0))] == ["12,300/s", "4/s", "10,000,000,000/s"]
