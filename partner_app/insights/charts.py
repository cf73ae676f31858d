"""The figures of the insights page: each a chart and the same numbers as a table."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext as _

from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.direct_cost_line_items import DirectCostLineItem
from integrations.procore.resources.direct_costs import DirectCost
from integrations.procore.resources.requisitions import Requisition
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from integrations.procore.resources.tools import Tool
from partner_app.core import clock
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.sight import seen_by
from partner_app.insights.labels import left_out_note
from partner_app.insights.metrics import ZERO, share
from partner_app.insights.models import ChangeFigure, ProjectDay, PublicDay
from partner_app.insights.rules import COST_TOOLS
from partner_app.insights.selectors import codes_of, history
from partner_app.insights.statuses import (
    DIRECT_COSTS,
    ApprovalState,
    named,
    plain_status,
    with_status,
)

Cell = str | int | Decimal | date | None
AGES = (7, 30, 90)  # days; anything older comes last
MONTHS = 18
TREND_DAYS = 180


@dataclass(frozen=True)
class ChartColumn:
    """`unit`: text, money, count, percent or day."""

    title: str
    unit: str = "text"


@dataclass(frozen=True)
class Figure:
    """`plotted` are the positions of the columns in the chart; the first column names the rows."""

    slug: str
    title: str
    help: str
    source: str
    kind: str  # bar, stacked or line
    currency: str
    columns: Sequence[ChartColumn]
    rows: Sequence[Sequence[Cell]]
    plotted: Sequence[int]
    note: str = ""  # what its sums leave out

    @property
    def unit(self) -> str:
        return self.columns[self.plotted[0]].unit if self.plotted else ""

    @property
    def data(self) -> dict[str, Any]:
        """The data that the browser draws."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "currency": self.currency,
            "labels": [str(row[0]) for row in self.rows],
            "series": [
                {"name": self.columns[n].title, "values": [_plain(row[n]) for row in self.rows]}
                for n in self.plotted
            ],
        }


@dataclass(frozen=True)
class ChartScope:
    """The projects of one figure, all in one currency; each with the viewer's rights."""

    company_id: int
    rights: Mapping[int, Rights]
    currency: str
    today: date = field(default_factory=lambda: clock.now().date())

    @property
    def person(self) -> int:
        """The viewer's id in Procore, as records name them."""
        return next((own.person for own in self.rights.values()), 0)

    def ids(self, *tools: Tool) -> set[int]:
        """Those on which the viewer has all of these tools."""
        wanted = frozenset(tools)
        return {key for key, own in self.rights.items() if own.tools >= wanted}

    def rows(self, model: Any, *tools: Tool, **only: Any) -> Any:
        """Records that the viewer may see."""
        ids = self.ids(*tools)
        found = model.objects.filter(company_id=self.company_id, project_id__among=ids, **only)
        return seen_by(found, {key: self.rights[key] for key in ids})

    def hides(self, model: Any, *tools: Tool, **only: Any) -> bool:
        """Whether some of these records are left out. `only` may name the `plain` status."""
        ids = self.partly(*tools)
        if not ids:
            return False
        found = model.objects.filter(company_id=self.company_id, project_id__among=ids)
        found = found.alias(plain=plain_status()).filter(**only)
        mine = {key: self.rights[key] for key in ids}
        return bool(found.count() != seen_by(found, mine).count())

    def partly(self, *tools: Tool) -> set[int]:
        """Those of ids() where records of these tools may be hidden from the viewer."""
        return {key for key in self.ids(*tools) if not self.rights[key].sees_all_of(tools)}

    def codes(self) -> tuple[Any, bool]:
        """Costs by WBS code as the viewer may see them, and whether something is left out."""
        partly = self.partly(*COST_TOOLS)
        rows: Any = codes_of(self.company_id, self.ids(*COST_TOOLS)).filter(currency=self.currency)
        some = Q(project_id__among=partly)
        shown = {
            f"seen_{name}": Case(When(some, then=F(name) - F(f"private_{name}")), default=F(name))
            for name in ("committed", "pending")
        }
        hidden = rows.filter(some).exclude(private_committed=0, private_pending=0)
        return rows.annotate(**shown), bool(partly) and hidden.exists()


@dataclass(frozen=True)
class ChartKind:
    slug: str
    tools: frozenset[Tool]
    make: Callable[[ChartScope], Figure]

    def open_to(self, rights: Iterable[Rights]) -> bool:
        return any(self.tools <= own.tools for own in rights)


def by_division(scope: ChartScope) -> Figure:
    rows, left_out = scope.codes()
    sums = (
        rows.order_by("division")
        .values("division")
        .annotate(
            budget=Sum(F("original") + F("changes")),
            spent=Sum(F("seen_committed") + F("direct")),
            waiting=Sum("seen_pending"),
        )
    )
    table = [
        (
            row["division"] or _("No code"), row["budget"], row["spent"], row["waiting"],
            row["budget"] - row["spent"] - row["waiting"],
        )
        for row in sums
    ]  # fmt: skip
    return Figure(
        "divisions",
        _("Committed against budget by division"),
        _(
            "Revised budget; approved contracts, change orders and direct costs; pending change "
            "orders. What is left may be below zero."
        ),
        _("Procore budget, commitments, change orders and direct costs"),
        "bar",
        scope.currency,
        [
            ChartColumn(_("Division")),
            ChartColumn(_("Revised budget"), "money"),
            ChartColumn(_("Committed and direct"), "money"),
            ChartColumn(_("Pending changes"), "money"),
            ChartColumn(_("Left"), "money"),
        ],
        table,
        [1, 2, 3],
        left_out_note() if left_out else "",
    )  # fmt: skip


def cost_curve(scope: ChartScope) -> Figure:
    """By month of invoices and costs; the last eighteen, with all earlier ones in the first."""
    spent: dict[date, Decimal] = defaultdict(Decimal)
    tools = (Tool.COMMITMENTS, Tool.BUDGET, Tool.DIRECT_COSTS)
    invoices = with_status(scope.rows(Requisition, *tools), ["approved"])
    of_line = DirectCost.objects.filter(
        company_id=OuterRef("company_id"), remote_id=OuterRef("direct_cost_id")
    )
    # The lines: a direct cost's header may be empty for days.
    costs = with_status(
        scope.rows(DirectCostLineItem, *tools).annotate(
            status=Subquery(of_line.values("status")[:1]),
            cost_date=Subquery(of_line.values("cost_date")[:1]),
        ),
        named(DIRECT_COSTS, ApprovalState.COUNTS),
    )
    for source, day, amount in (
        (invoices, "billing_date", "total_claimed_amount"),
        (costs, "cost_date", "amount"),
    ):
        months = source.filter(currency=scope.currency).exclude(**{day: None})
        months = months.order_by().annotate(month=TruncMonth(day)).values_list("month")
        for month, total in months.annotate(total=Sum(amount)):
            spent[month] += total or ZERO
    codes, left_out = scope.codes()
    left_out = left_out or scope.hides(Requisition, *tools, plain="approved")
    sums = codes.aggregate(
        budget=Sum(F("original") + F("changes")), committed=Sum("seen_committed")
    )
    budget, committed = sums["budget"] or ZERO, sums["committed"] or ZERO
    table: list[tuple[Cell, ...]] = []
    total = ZERO
    months = _months(min(spent, default=scope.today), scope.today)
    for month in months:
        total += spent[month]
        table.append((month.strftime("%Y-%m"), spent[month], total, committed, budget))
    kept = table[-MONTHS:]
    return Figure(
        "cost-curve",
        _("Cost curve"),
        _(
            "Approved invoices and direct costs, added up by month of billing, against what is "
            "committed and budgeted today."
        ),
        _("Procore invoices, direct costs, commitments and budget"),
        "line",
        scope.currency,
        [
            ChartColumn(_("Month")), ChartColumn(_("In the month"), "money"),
            ChartColumn(_("Spent to date"), "money"), ChartColumn(_("Committed today"), "money"),
            ChartColumn(_("Budget today"), "money"),
        ],
        kept,
        [2, 3, 4],
        left_out_note() if left_out else "",
    )  # fmt: skip


def pipeline(scope: ChartScope) -> Figure:
    """Open change events and pending change orders by status, with their age."""
    tools = (Tool.CHANGE_EVENTS, Tool.COMMITMENTS)
    every: Any = ChangeFigure.objects.filter(
        company_id=scope.company_id, project_id__among=scope.ids(*tools),
        currency=scope.currency, standing=ApprovalState.PENDING,
    )  # fmt: skip
    rows, left_out = every, False
    if partly := scope.partly(*tools):
        hidden = Q(project_id__among=partly, restricted=True)
        hidden &= ~Q(named__contains=[scope.person])
        rows, left_out = every.exclude(hidden), every.filter(hidden).exists()
    table: list[tuple[Cell, ...]] = []
    of_event = Q(resource=ChangeEvent.spec.name)
    for label, kind in ((_("Event"), of_event & ~Q(amount=0)), (_("Change order"), ~of_event)):
        sums = {
            f"age{n}": Coalesce(Sum("amount", filter=bucket), ZERO)
            for n, bucket in enumerate(_buckets("created_on", scope.today))
        }
        found = rows.filter(kind).order_by("status").values("status")
        for row in found.annotate(**sums, number=Count("remote_id")):
            ages = [row[f"age{n}"] for n in range(len(AGES) + 1)]
            name = f"{label}: {row['status'].replace('_', ' ')}"
            table.append((name, *ages, sum(ages, ZERO), row["number"]))
    return Figure(
        "pipeline",
        _("Change pipeline by status and age"),
        _(
            "Latest cost of open change events, less what is ordered, and amounts of pending "
            "change orders."
        ),
        _("Procore change events and commitment change orders"),
        "stacked",
        scope.currency,
        [
            ChartColumn(_("Status")), *(ChartColumn(title, "money") for title in _age_titles()),
            ChartColumn(_("Together"), "money"), ChartColumn(_("Number"), "count"),
        ],
        table,
        list(range(1, len(AGES) + 2)),
        left_out_note() if left_out else "",
    )  # fmt: skip


def ageing(scope: ChartScope) -> Figure:
    """Open RFIs and submittals by age. Records that the viewer may not see are left out."""
    table: list[tuple[Cell, ...]] = []
    left_out = False
    for title, model, tool, status, day in (
        (_("Open RFIs"), Rfi, Tool.RFIS, "open", "initiated_at"),
        (_("Open submittals"), Submittal, Tool.SUBMITTALS, "Open", "created_on"),
    ):
        if not scope.ids(tool):
            continue
        counts = scope.rows(model, tool, status=status).aggregate(
            **{
                f"age{n}": Count("remote_id", filter=bucket)
                for n, bucket in enumerate(_buckets(day, scope.today))
            }
        )
        ages = [counts[f"age{n}"] for n in range(len(AGES) + 1)]
        table.append((title, *ages, sum(ages)))
        left_out = left_out or scope.hides(model, tool, status=status)
    return Figure(
        "ageing",
        _("RFIs and submittals by age"),
        _("Days since they were initiated or created."),
        _("Procore RFIs and submittals"),
        "stacked",
        "",
        [
            ChartColumn(_("Kind")), *(ChartColumn(title, "count") for title in _age_titles()),
            ChartColumn(_("Together"), "count"),
        ],
        table,
        list(range(1, len(AGES) + 2)),
        left_out_note() if left_out else "",
    )  # fmt: skip


def trend(scope: ChartScope) -> Figure:
    """From the daily snapshots, as far back as they exist."""
    tools = (*COST_TOOLS, Tool.CHANGE_EVENTS)
    partly = scope.partly(*tools)
    days: dict[date, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for model, ids in ((ProjectDay, scope.ids(*tools) - partly), (PublicDay, partly)):
        if not ids:
            continue
        rows = history(model, scope.company_id, ids, days=TREND_DAYS, currency=scope.currency)
        sums = rows.values("day").annotate(
            budget=Sum(F("original_budget") + F("budget_changes")),
            covered=Sum("covered_budget"),
            over=Sum("over_commitment"),
            exposure=Sum(F("pending_changes") + F("open_event_cost") - F("budget_relief")),
        )
        for row in sums:
            for name in ("budget", "covered", "over", "exposure"):
                days[row["day"]][name] += row[name]
    table = [
        (day.isoformat(), own["over"], own["exposure"], share(own["covered"], own["budget"]))
        for day, own in sorted(days.items())
    ]
    return Figure(
        "trend",
        _("Exposure over time"),
        _("One snapshot a day since Tieback was connected; there is no data from before."),
        _("Tieback’s daily snapshots"),
        "line",
        scope.currency,
        [
            ChartColumn(_("Day")),
            ChartColumn(_("Over budget, by code"), "money"),
            ChartColumn(_("Pending exposure"), "money"),
            ChartColumn(_("Forecast coverage"), "percent"),
        ],
        table,
        [1, 2],
        left_out_note() if partly else "",
    )  # fmt: skip


KINDS: dict[str, ChartKind] = {
    kind.slug: kind
    for kind in (
        ChartKind("divisions", COST_TOOLS, by_division),
        ChartKind("cost-curve", COST_TOOLS, cost_curve),
        ChartKind("pipeline", frozenset({Tool.CHANGE_EVENTS, Tool.COMMITMENTS}), pipeline),
        ChartKind("ageing", frozenset(), ageing),
        ChartKind("trend", COST_TOOLS | {Tool.CHANGE_EVENTS}, trend),
    )
}


def _buckets(column: str, today: date) -> list[Q]:
    """A condition for each age, the youngest first; a record without a day counts as new."""
    ends = [datetime.combine(today - timedelta(days=days), time.min, UTC) for days in AGES]
    young = Q(**{f"{column}__gte": ends[0]}) | Q(**{column: None})
    middle = [Q(**{f"{column}__lt": a, f"{column}__gte": b}) for a, b in pairwise(ends)]
    return [young, *middle, Q(**{f"{column}__lt": ends[-1]})]


def _age_titles() -> list[str]:
    between = [
        _("%(first)s to %(last)s days") % {"first": low + 1, "last": high}
        for low, high in pairwise((-1, *AGES))
    ]
    return [*between, _("over %(days)s days") % {"days": AGES[-1]}]


def _months(first: date, last: date) -> list[date]:
    found, month = [], first.replace(day=1)
    while month <= last:
        found.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    return found


def _plain(cell: Cell) -> float | int | None:
    """Only for a picture; the table beside it has the exact amount."""
    if isinstance(cell, Decimal):
        return float(cell)
    return cell if isinstance(cell, int) else None
