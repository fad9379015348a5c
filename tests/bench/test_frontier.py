"""Queries per second at a recall, and hopspan's fair configurations."""

import pytest

from bench.frontier import Row, frontier, qps_at, rival

CURVE = [(10, 0.8, 4000.0), (20, 0.9, 1000.0), (15, 0.85, 900.0), (40, 1.0, 10.0)]


def row(*, build: float = 1.0, memory: int = 100, qps: float = 100.0) -> Row:
    return {"build_seconds": build, "memory_bytes": memory, "file_bytes": None, "curve": [(10, 0.95, qps)]}


def test_frontier_drops_what_is_slower_and_less_exact() -> None:
    assert frontier(CURVE) == [(0.8, 4000.0), (0.9, 1000.0), (1.0, 10.0)]


@pytest.mark.parametrize(
    ("recall", "qps"), [(0.5, 4000.0), (0.8, 4000.0), (0.85, 2000.0), (0.9, 1000.0), (0.95, 100.0), (1.0, 10.0)]
)
def test_qps_is_log_linear_between_points(recall: float, qps: float) -> None:
    assert qps_at(CURVE, recall) == pytest.approx(qps)


def test_qps_of_a_recall_that_is_not_reached() -> None:
    assert qps_at(CURVE[:2], 0.95) is None
    assert qps_at([], 0.9) is None


def test_a_fair_configuration_goes_before_a_faster_one() -> None:
    rows = {
        "hopspan profile=fast": row(memory=101, qps=400),
        "hopspan profile=slow": row(build=1.1, qps=400),
        "hopspan profile=compact": row(qps=150),
        "hopspan": row(memory=90, qps=120),
        "peer": row(),
    }
    assert rival(rows, "peer", 0.95) == ("hopspan profile=compact", 1.5, True)


def test_without_a_fair_one_the_fastest() -> None:
    rows = {"hopspan": row(memory=101, qps=200), "hopspan M=32": row(build=2, qps=300), "peer": row()}
    assert rival(rows, "peer", 0.95) == ("hopspan M=32", 3.0, False)


def test_without_a_recall_no_rival() -> None:
    assert rival({"hopspan": row(), "peer": row()}, "peer", 0.99) is None
