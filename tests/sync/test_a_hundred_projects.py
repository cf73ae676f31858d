"""An opened project is complete before any other of a hundred, within Procore's limits.

Reads as the benchmark does, in virtual time: its clock jumps, the limits are the real ones.
"""

import json
import subprocess
import sys

import pytest

from tests.environment import ROOT


@pytest.mark.slow
def test_an_opened_project_is_complete_first_and_within_two_minutes() -> None:
    command = [sys.executable, "-m", "benchmarks.calls", "--opened-alone"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    [found] = json.loads(done.stdout).values()
    assert found["others complete"] == 0
    assert found["opened project complete"]["calls"] <= 25
    assert found["opened project complete"]["minutes"] < 2
    assert found["observations"] == 0
