"""Compares our sums with Procore's own budget view, by currency and WBS code.

The view adds up the same contracts, orders and costs by Procore's own rules: equality checks both
the reading and the formulas, and a difference names the codes to check.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from integrations.procore.resources.budget_codes import code_by_row
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.wbs_codes import WbsCode
from partner_app.insights.contracts import DEFAULT_CURRENCY
from partner_app.insights.metrics import ZERO
from partner_app.insights.models import CostFigure

# Label, our column, Procore's column.
KINDS = (
    (_("Committed"), "committed", "committed_costs"),
    (_("Direct costs"), "direct", "direct_costs"),
    (_("Pending changes"), "pending", "pending_cost_changes"),
)
CENT = Decimal("0.01")
Key = tuple[str, int]  # currency, WBS code (0: none)
Amounts = dict[str, Decimal]  # by column


@dataclass(frozen=True)
class CodeDifference:
    """`code` is empty for amounts that belong to no WBS code."""

    code: str
    name: str
    ours: Decimal
    theirs: Decimal


@dataclass(frozen=True)
class Checked:
    """One sum in one currency. Equal totals may hide differences between codes."""

    label: object
    currency: str
    ours: Decimal
    theirs: Decimal
    codes: tuple[CodeDifference, ...]

    @property
    def difference(self) -> Decimal:
        return self.ours - self.theirs

    @property
    def equal(self) -> bool:
        return not self.codes


@dataclass(frozen=True)
class ProjectCheck:
    """For a project: every sum that could be checked; none where the view has no such columns."""

    rows: tuple[Checked, ...]

    @property
    def apart(self) -> list[Checked]:
        return [row for row in self.rows if not row.equal]


def procore_columns(rows: Iterable[BudgetRow]) -> dict[Key, Amounts]:
    """Inside tenant(). The columns of the budget view from the last reading, by code.

    A column that the view does not have is absent; `budget` has the budget with its changes.
    """
    every = list(rows)
    codes = code_by_row(every)
    found: dict[Key, Amounts] = defaultdict(dict)
    for row in every:
        own = found[row.currency or DEFAULT_CURRENCY, codes[row.remote_id]]
        budget = (row.original_budget_amount or ZERO) + (row.budget_modifications or ZERO)
        own["budget"] = own.get("budget", ZERO) + budget
        for _label, _own, name in KINDS:
            value: Decimal | None = getattr(row, name)
            if value is not None:
                own[name] = own.get(name, ZERO) + value
    return dict(found)


def project_check(
    company_id: int, project_id: int, rows: Iterable[BudgetRow], *, unread: Collection[str]
) -> ProjectCheck | None:
    """Inside tenant(). Sums that are `unread` are Procore's own columns, so they are not checked.

    None before anything was computed, or without a budget in Procore.
    """
    theirs = procore_columns(rows)
    figures = list(CostFigure.objects.filter(company_id=company_id, project_id=project_id))
    ours = {
        (figure.currency, figure.wbs_code_id): {name: getattr(figure, name) for _, name, _ in KINDS}
        for figure in figures
    }
    kinds = [kind for kind in KINDS if kind[1] not in unread]
    if not (ours and theirs and kinds):
        return None
    names = {figure.wbs_code_id: (figure.flat_code, figure.name) for figure in figures}
    if missing := {code for _, code in theirs if code} - names.keys():
        names |= _names(company_id, missing)
    found: list[Checked] = []
    for currency in sorted({own for own, _code in theirs}):
        mine = {code: row for (own, code), row in ours.items() if own == currency}
        procores = {code: row for (own, code), row in theirs.items() if own == currency}
        found += compare(currency, mine, procores, names, kinds)
    return ProjectCheck(tuple(found))


def compare(
    currency: str,
    ours: Mapping[int, Mapping[str, Decimal]],
    theirs: Mapping[int, Mapping[str, Decimal]],
    names: Mapping[int, tuple[str, str]],
    kinds: Sequence[tuple[object, str, str]] = KINDS,
) -> list[Checked]:
    """One for each kind that Procore's view has a column for, in this currency."""
    found = []
    for label, own, column in kinds:
        if any(column in row for row in theirs.values()):
            pairs = {
                code: (
                    ours.get(code, {}).get(own, ZERO),
                    theirs.get(code, {}).get(column, ZERO),
                )
                for code in ours.keys() | theirs.keys()
            }
            found.append(
                Checked(
                    label,
                    currency,
                    sum((mine for mine, _ in pairs.values()), ZERO),
                    sum((procores for _, procores in pairs.values()), ZERO),
                    tuple(_differences(pairs, names)),
                )
            )
    return found


def _differences(
    pairs: Mapping[int, tuple[Decimal, Decimal]], names: Mapping[int, tuple[str, str]]
) -> Iterable[CodeDifference]:
    """Largest first."""
    apart = [
        (abs(ours - theirs), code)
        for code, (ours, theirs) in pairs.items()
        if abs(ours - theirs) >= CENT
    ]
    for _size, code in sorted(apart, key=lambda each: (-each[0], each[1])):
        flat_code, name = names.get(code, ("", ""))
        yield CodeDifference(flat_code, name, *pairs[code])


def _names(company_id: int, codes: set[int]) -> dict[int, tuple[str, str]]:
    """For codes whose rows were read after the metrics were computed."""
    rows = WbsCode.objects.filter(company_id=company_id, remote_id__in=codes)
    found = rows.values_list("remote_id", "flat_code", "flat_name")
    return {key: (code, name) for key, code, name in found}
