"""Procore's project tools, by the names of its permission manifest."""

from collections.abc import Iterable
from enum import StrEnum


class Tool(StrEnum):
    RFIS = "rfis"
    SUBMITTALS = "submittals"
    CHANGE_EVENTS = "change_events"
    COMMITMENTS = "commitments"
    BUDGET = "budget"
    DIRECT_COSTS = "direct_costs"
    OBSERVATIONS = "observations"
    PUNCH_LIST = "punch_list"

    @property
    def label(self) -> str:
        return "RFIs" if self is Tool.RFIS else self.value.replace("_", " ").capitalize()


def known_tools(names: Iterable[str]) -> list[Tool]:
    """Tools known to this release: the former one may have named more, or fewer."""
    every = set(Tool)
    return [Tool(name) for name in names if name in every]
