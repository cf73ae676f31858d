"""Strict or wild: journeys run on a simulator that answers as documented, or deviates.

Wild means all switches of simulator/wild.py except those below, with a seed: a journey must reach
the same end whatever form an answer has.
"""

import os

import pytest

import simulator.rest.app  # noqa: F401  # registers all switches
from simulator.wild import SWITCHES
from tests.procore import Procore

STRICT = "strict"
SEEDS = int(os.environ.get("WILD_JOURNEYS", "1"))
NATURES = (STRICT, *(f"wild-{seed}" for seed in range(1, SEEDS + 1)))
# With these a journey rightly ends differently; each has its own tests.
ENDS_OTHERWISE = {
    "unknown_levels": "somebody who may do something is denied it",
    "unknown_statuses": "a record is counted elsewhere",
    "codes_absent_until_made": "an estimate's codes must be made before it is pushed",
    "erp_holds_the_budget": "nothing can be pushed",
    "workflow_holds_the_budget": "nothing can be pushed",
    "rolling_minute": "a sync takes minutes",
}
both_natures = pytest.mark.parametrize("nature", NATURES, indirect=True)


def turn(procore: Procore, nature: str) -> None:
    if nature == STRICT:
        return
    switches = sorted(SWITCHES.keys() - ENDS_OTHERWISE.keys())
    procore.wild(*switches, seed=int(nature.rpartition("-")[2]))
