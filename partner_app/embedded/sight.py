"""What a viewer may see of a record: whether it is visible at all, and which of its amounts.

A private record or a draft is visible to the tool's admins and the people named on it. An amount
reaches a page as an Amount, which is created with the viewer's rights; the template filter accepts
nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from integrations.procore.resources.sight import visible_to
from integrations.procore.resources.source import SourceRecord
from integrations.procore.resources.tools import Tool
from partner_app.embedded.entitlement import Rights


def seen_by(rows: Any, rights: Mapping[int, Rights]) -> Any:
    """The records that the viewer may see, on the projects for which rights are given.

    Inside tenant(). A viewer without the tool on a project sees none of its records.
    """
    return rows.filter(may_see(rows.model, rights))


def may_see(model: type[SourceRecord], rights: Mapping[int, Rights]) -> Q:
    tool = model.spec.tool
    every = {key for key, own in rights.items() if tool in own.administers}
    some = {key for key, own in rights.items() if tool in own.tools} - every
    found = Q(project_id__among=every)
    if some:
        person = next(iter(rights.values())).person
        found |= Q(project_id__among=some) & visible_to(model, person)
    return found


OF_THE_BUDGET = frozenset({"cost_impact"})  # a cost figure on a record of another tool
NO_CURRENCY = "USD"  # where a record names no currency


@dataclass(frozen=True)
class Amount:
    """An amount that its viewer may see."""

    value: Decimal | None
    currency: str

    def __bool__(self) -> bool:
        return bool(self.value)


def cost(rights: Rights, value: Decimal | None, currency: str) -> Amount | None:
    """A cost figure, which needs the budget; None where it is withheld."""
    return Amount(value, currency or NO_CURRENCY) if rights.sees_budget else None


def own_amount(rights: Rights, tool: Tool, value: Decimal | None, currency: str) -> Amount | None:
    """An amount of a tool's own record: visible to everyone who has the tool, as in Procore."""
    return Amount(value, currency or NO_CURRENCY) if tool in rights.tools else None


class VisibleRecord:
    """A record on a page: its amounts are None where they are withheld from the viewer.

    `tool`: the tool whose list shows it, with its own amounts; by default each amount is a cost
    figure.
    """

    def __init__(self, record: Any, rights: Rights, tool: Tool | None = None) -> None:
        self._record, self._rights, self._tool = record, rights, tool

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._record, name)
        if not isinstance(value, Decimal):
            return value
        currency = getattr(self._record, "currency", "")
        if self._tool is None or name in OF_THE_BUDGET:
            return cost(self._rights, value, currency)
        return own_amount(self._rights, self._tool, value, currency)
