"""Writers that are killed lose nothing that they had acknowledged. HOPSPAN_KILLS sets how many are, for each kind.

A kill keeps what the system was handed, so it shows wrong order, not a missing sync; that is for the power cuts of
tests/cpp/durable.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = int(os.environ.get("HOPSPAN_KILLS", "40"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_kill(kind: str, tmp_path: Path) -> None:
    program = Path(__file__).parent / "kill_soak.py"
    command = [sys.executable, program, tmp_path, str(KILLS), "1", kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 5 * KILLS, check=False)
    assert done.returncode == 0, done.stderr
