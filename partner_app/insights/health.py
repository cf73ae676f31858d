"""Projects at a glance, from their newest metrics and within what a viewer may see."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg, BoolOr
from django.db.models import Count, Sum

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.projects import Project
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.models import SyncCursor
from partner_app.embedded.entitlement import Rights
from partner_app.handoffs.selectors import handed_off_totals
from partner_app.insights.metrics import ZERO, pending_exposure, projected, share
from partner_app.insights.models import DayFigures, ProjectDay, PublicDay
from partner_app.insights.rules import COST_TOOLS
from partner_app.insights.selectors import Days, days_of, restricted_on

# In the order in which _attention takes them; the totals of home need the others as well.
GLANCE = (
    "original_budget", "budget_changes", "committed", "direct_costs", "over_commitment",
    "overdue_rfis", "late_submittals", "pending_changes", "open_event_cost", "budget_relief",
)  # fmt: skip
NOTHING: list[Any] = [0] * len(GLANCE)
SUMMED = (
    "original_budget", "budget_changes", "committed", "direct_costs", "pending_changes",
    "open_event_cost", "event_cost", "over_commitment", "buyout_gap", "covered_budget",
    "invoiced_over", "maybe_ordered", "not_covered", "budget_relief", "unknown_cost", "rfi_cost",
    "rfis_cost_unknown", "handoff_drift", "open_rfis",
    "overdue_rfis", "open_submittals", "late_submittals", "open_events",
)  # fmt: skip
# For each metric the tools whose records it is made of; budget rows are never private.
_CONTRACTS, _COSTS = frozenset({Tool.COMMITMENTS}), frozenset({Tool.COMMITMENTS, Tool.DIRECT_COSTS})
_EVENTS, _RFIS = frozenset({Tool.CHANGE_EVENTS}), frozenset({Tool.RFIS})
SOURCES: dict[str, frozenset[Tool]] = {
    **dict.fromkeys(("original_budget", "budget_changes", "handoff_drift"), frozenset()),
    **dict.fromkeys(
        ("committed", "pending_changes", "not_covered", "invoiced", "invoiced_over",
         "orders_unread"), _CONTRACTS,
    ),
    **dict.fromkeys(
        ("over_commitment", "buyout_gap", "covered_budget", "unknown_cost"), _COSTS
    ),
    "direct_costs": frozenset({Tool.DIRECT_COSTS}),
    **dict.fromkeys(
        ("open_event_cost", "event_cost", "maybe_ordered", "open_events", "events_without_order"),
        _EVENTS,
    ),
    "budget_relief": _CONTRACTS | _EVENTS,
    **dict.fromkeys(
        ("rfi_cost", "open_rfis", "overdue_rfis", "rfis_cost_unknown", "rfi_age",
         "rfi_turnaround"), _RFIS,
    ),
    **dict.fromkeys(
        ("open_submittals", "late_submittals", "submittal_age"), frozenset({Tool.SUBMITTALS})
    ),
}  # fmt: skip
Values = Mapping[str, Any]
EXPOSED = frozenset({Tool.COMMITMENTS, Tool.CHANGE_EVENTS})


@dataclass(frozen=True)
class Health:
    """A project at a glance. None: the viewer may not see it, or it is not here yet.

    `others` are its metrics in other currencies.
    """

    project: Project | None = None
    currency: str = "USD"
    projects: int = 1  # number of projects in these sums
    open_rfis: int | None = None
    overdue_rfis: int | None = None
    rfi_cost: Decimal | None = None
    rfis_cost_unknown: int | None = None
    rfi_age: Decimal | None = None
    rfi_turnaround: Decimal | None = None
    open_submittals: int | None = None
    late_submittals: int | None = None
    submittal_age: Decimal | None = None
    open_events: int | None = None
    event_cost: Decimal | None = None
    budget: Decimal | None = None
    committed: Decimal | None = None
    direct_costs: Decimal | None = None
    pending: Decimal | None = None
    exposure: Decimal | None = None
    projected: Decimal | None = None
    maybe_ordered: Decimal | None = None
    not_covered: Decimal | None = None
    unknown_cost: Decimal | None = None
    orders_unread: bool = False
    over_commitment: Decimal | None = None
    buyout_gap: Decimal | None = None
    covered_budget: Decimal | None = None
    invoiced_over: Decimal | None = None
    handoff_drift: Decimal | None = None
    handed_off: Decimal | None = None
    left_out: bool = False  # some metrics lack records that the viewer may not see
    others: tuple["Health", ...] = ()

    @property
    def spoken_for(self) -> Decimal | None:
        """Committed and, where the viewer sees them, direct costs."""
        if self.committed is None:
            return None
        return self.committed + (self.direct_costs or 0)

    @property
    def uncommitted(self) -> Decimal | None:
        if self.budget is None or self.spoken_for is None:
            return None
        return self.budget - self.spoken_for

    @property
    def over(self) -> bool:
        return self.uncommitted is not None and self.uncommitted < 0

    @property
    def gap(self) -> Decimal | None:
        """The difference between the budget and `spoken_for`, in either direction."""
        return None if self.uncommitted is None else abs(self.uncommitted)

    @property
    def coverage(self) -> Decimal | None:
        if self.covered_budget is None or self.budget is None:
            return None
        return share(self.covered_budget, self.budget)


@dataclass(frozen=True)
class Totals:
    """Sums over the projects of one currency; None where the viewer sees none of them.

    `left_out`: some lack records that the viewer may not see.
    """

    currency: str
    projects: int
    left_out: bool
    overdue_rfis: int | None
    late_submittals: int | None
    exposure: Decimal | None
    budget: Decimal | None
    committed: Decimal | None
    over_commitment: Decimal | None


@dataclass(frozen=True)
class Sight:
    """Which metrics the viewer sees: equal on projects where they have the same rights."""

    tools: frozenset[Tool]
    administers: frozenset[Tool]

    @classmethod
    def of(cls, rights: Rights) -> "Sight":
        return cls(rights.tools, rights.administers)

    @cached_property
    def partial(self) -> frozenset[str]:
        """Metrics with records that they may not see: for these, only records open to all count."""
        return frozenset(name for name, tools in SOURCES.items() if not tools <= self.administers)

    @cached_property
    def shown(self) -> frozenset[str]:
        return frozenset(name for name, tools in SOURCES.items() if tools <= self.tools)

    def within(self, whole: Values, public: Values) -> tuple[dict[str, Any], bool]:
        """Each metric as they may see it, and whether any lacks records."""
        own = {n: public.get(n, ZERO) if n in self.partial else value for n, value in whole.items()}
        mine = self.shown & self.partial & own.keys()
        return own, any((own[name] or 0) != (whole[name] or 0) for name in mine)

    def narrowed(self, *, borrowed: bool = False, unknown: bool = False) -> "Sight":
        """`unknown`: what is open to all is not computed yet, so only what they administer.

        `borrowed`: sums of costs are Procore's own budget columns, for viewers of the budget.
        """
        tools = self.tools
        if unknown:
            tools &= self.administers | {Tool.BUDGET}
        if borrowed and Tool.BUDGET not in tools:
            tools -= {Tool.COMMITMENTS, Tool.DIRECT_COSTS} - self.administers
        return Sight(tools, self.administers)


def rights_with_data(company_id: int, rights: Mapping[int, Rights]) -> dict[int, Rights]:
    """Rights limited to what has been read: a metric that is not here yet is not zero."""
    cursors = SyncCursor.objects.filter(company_id=company_id, project_id__among=set(rights))
    known = cursors.exclude(fresh_at=None).order_by()
    counts = dict(known.values_list("resource").annotate(number=Count("project_id")))
    # Usually everything is here, and counting is enough to know.
    full = [name for name, number in counts.items() if number == len(rights)]
    whole = {tool for name in full for tool in _tools_of(name)}
    partly = [name for name in counts if not _tools_of(name) <= whole]
    read: dict[Tool, set[int]] = defaultdict(set)
    rest = known.filter(resource__in=partly).values_list("resource")
    for name, keys in rest.annotate(of=ArrayAgg("project_id")):
        for tool in _tools_of(name):
            read[tool].update(keys)
    found = dict(rights)
    for tool in set(Tool) - whole:
        for key in rights.keys() - read[tool]:
            own = found[key]
            if tool in own.tools:
                found[key] = own.without({tool})
    return found


def _tools_of(resource: str) -> frozenset[Tool]:
    """Tools whose metrics are known once it is read: the budget view has columns for all costs."""
    if resource == BudgetRow.spec.name:
        return frozenset(COST_TOOLS)
    tool = RESOURCES[resource].spec.tool
    return frozenset({tool} if tool else ())


def _attention(
    tools: frozenset[Tool],
    original: Decimal,
    changes: Decimal,
    spent: Decimal,
    direct: Decimal,
    over_codes: Decimal,
    rfis: int,
    submittals: int,
    *_rest: Decimal,
) -> tuple[bool, Decimal, int]:
    sees_cost = tools >= COST_TOOLS
    late = rfis * (Tool.RFIS in tools) + submittals * (Tool.SUBMITTALS in tools)
    over = sees_cost and spent + direct > original + changes
    return over, over_codes if sees_cost else ZERO, late


def at_a_glance(company_id: int, rights: Mapping[int, Rights]) -> tuple[list[int], list[Totals]]:
    """Inside tenant(): projects, most urgent first, and sums for each currency.

    First by budget overrun, then by money over codes, then by lateness. A project without a
    snapshot comes last. Only what the viewer sees counts.
    """
    days = ProjectDay.objects.filter(
        company_id=company_id, project_id__among=set(rights), newest=True
    )
    public = _public_days(company_id, restricted_on(rights))
    orders: dict[int, tuple[bool, Decimal, int]] = {}
    alike: dict[tuple[str, Sight], list[tuple[list[Any], list[Any]]]] = defaultdict(list)
    for key, main, currency, *row in days.values_list("project_id", "main", "currency", *GLANCE):
        sight, seen = Sight.of(rights[key]), row
        if key in public:
            borrowed, shown = public[key].get(currency, (False, NOTHING))
            sight = sight.narrowed(borrowed=borrowed, unknown=currency not in public[key])
            both = (dict(zip(GLANCE, values, strict=True)) for values in (row, shown))
            picked, _ = sight.within(*both)
            seen = list(picked.values())
        else:
            shown = row
        alike[currency, sight].append((row, shown))
        if main:
            orders[key] = _attention(sight.tools, *seen)
    sums = []
    for (currency, sight), pairs in alike.items():
        whole, open_ones = (
            {n: sum(values) for n, values in zip(GLANCE, zip(*rows, strict=True), strict=True)}
            for rows in zip(*pairs, strict=True)
        )
        sums.append(_sum(sight, currency, whole, open_ones, len(pairs)))
    last = (False, ZERO, 0)
    return sorted(rights, key=lambda key: orders.get(key, last), reverse=True), totals_of(sums)


def _public_days(
    company_id: int, project_ids: set[int]
) -> dict[int, dict[str, tuple[bool, list[Any]]]]:
    """By project and currency: whether its costs are borrowed, and metrics as in GLANCE."""
    found: dict[int, dict[str, tuple[bool, list[Any]]]] = {key: {} for key in project_ids}
    if project_ids:
        days = PublicDay.objects.filter(
            company_id=company_id, project_id__among=project_ids, newest=True
        )
        names = ("project_id", "currency", "borrowed", *GLANCE)
        for key, currency, borrowed, *row in days.values_list(*names):
            found[key][currency] = borrowed, row
    return found


def sums_of(company_id: int, rights: Mapping[int, Rights]) -> list[Health]:
    """Inside tenant(): metrics added up in the database, for each currency and kind of rights."""
    groups: dict[Sight, set[int]] = defaultdict(set)
    for key, own in rights.items():
        groups[Sight.of(own)].add(key)
    found = []
    for sight, ids in groups.items():
        public = {}
        if not sight.partial.isdisjoint(sight.shown):
            rows = _added(PublicDay, company_id, ids, borrowed=BoolOr("borrowed"))
            public = {row["currency"]: row for row in rows}
        for row in _added(ProjectDay, company_id, ids):
            shown = public.get(row["currency"], {})
            narrow = sight.narrowed(borrowed=bool(shown.get("borrowed")))
            added = {name: row[name] for name in (*SUMMED, "orders_unread")}
            found.append(_sum(narrow, row["currency"], added, shown, row["projects"]))
    return found


def _added(model: type[DayFigures], company_id: int, ids: set[int], **more: Any) -> Any:
    """A row for each currency."""
    sums: dict[str, Any] = {name: Sum(name) for name in SUMMED}
    sums |= {"orders_unread": BoolOr("orders_unread"), "projects": Count("day"), **more}
    rows: Any = model._base_manager.filter(
        company_id=company_id, project_id__among=ids, newest=True
    )
    return rows.order_by().values("currency").annotate(**sums)


def _sum(sight: Sight, currency: str, whole: Values, public: Values, projects: int) -> Health:
    """Of projects on which the viewer has the same rights; sums that were not computed are None."""
    added, left_out = sight.within(whole, public)
    numbers = {name: ZERO if value is None else value for name, value in added.items()}
    day = ProjectDay(currency=currency, **numbers)
    return replace(_one(None, day, sight.tools), projects=projects, left_out=left_out)


def health_of(
    company_id: int, found: Iterable[Project], rights: Mapping[int, Rights]
) -> list[Health]:
    """Inside tenant(). Two or three queries, however many projects."""
    shown = list(found)
    keys = [project.remote_id for project in shown]
    days = days_of(company_id, {key: rights[key] for key in keys})
    handed = handed_off_totals(
        company_id, [key for key in keys if Tool.BUDGET in rights[key].tools]
    )
    return [
        _health(project, days.get(project.remote_id, []), rights[project.remote_id], handed)
        for project in shown
    ]


def _health(
    project: Project, days: list[Days], rights: Rights, handed: Mapping[int, Decimal]
) -> Health:
    if not days:
        return Health(project)
    main, *others = [_seen(project, Sight.of(rights), *pair) for pair in days]
    return replace(main, handed_off=handed.get(project.remote_id), others=tuple(others))


def _seen(project: Project, sight: Sight, whole: ProjectDay, public: PublicDay | None) -> Health:
    if sight.partial.isdisjoint(sight.shown):
        return _one(project, whole, sight.tools)
    unknown, borrowed = public is None, bool(public and public.borrowed)
    own = sight.narrowed(unknown=unknown, borrowed=borrowed)
    figures, left_out = own.within(_values(whole), _values(public) if public else {})
    day = ProjectDay(currency=whole.currency, **figures)
    return replace(_one(project, day, own.tools), left_out=left_out)


def _values(day: DayFigures) -> Values:
    return {name: getattr(day, name) for name in SOURCES}


def _one(project: Project | None, day: ProjectDay, tools: frozenset[Tool]) -> Health:
    def seen(needed: frozenset[Tool] | Tool, value: Any) -> Any:
        wanted = {needed} if isinstance(needed, Tool) else needed
        return value if tools >= wanted else None

    budget = day.original_budget + day.budget_changes
    exposure = pending_exposure(day.pending_changes, day.open_event_cost, day.budget_relief)
    ahead = projected(budget, day.committed + day.direct_costs, exposure)
    return Health(
        project,
        day.currency,
        open_rfis=seen(Tool.RFIS, day.open_rfis),
        overdue_rfis=seen(Tool.RFIS, day.overdue_rfis),
        rfi_cost=seen(frozenset({Tool.RFIS, Tool.BUDGET}), day.rfi_cost),
        rfis_cost_unknown=seen(Tool.RFIS, day.rfis_cost_unknown),
        rfi_age=seen(Tool.RFIS, day.rfi_age),
        rfi_turnaround=seen(Tool.RFIS, day.rfi_turnaround),
        open_submittals=seen(Tool.SUBMITTALS, day.open_submittals),
        late_submittals=seen(Tool.SUBMITTALS, day.late_submittals),
        submittal_age=seen(Tool.SUBMITTALS, day.submittal_age),
        open_events=seen(Tool.CHANGE_EVENTS, day.open_events),
        event_cost=seen(Tool.CHANGE_EVENTS, day.event_cost),
        budget=seen(Tool.BUDGET, budget),
        committed=seen(Tool.COMMITMENTS, day.committed),
        direct_costs=seen(Tool.DIRECT_COSTS, day.direct_costs),
        pending=seen(Tool.COMMITMENTS, day.pending_changes),
        exposure=seen(EXPOSED, exposure),
        projected=seen(COST_TOOLS | EXPOSED, ahead),
        maybe_ordered=seen(EXPOSED, day.maybe_ordered),
        not_covered=seen(Tool.COMMITMENTS, day.not_covered),
        unknown_cost=seen(frozenset({Tool.COMMITMENTS, Tool.DIRECT_COSTS}), day.unknown_cost),
        orders_unread=bool(seen(Tool.COMMITMENTS, day.orders_unread)),
        over_commitment=seen(COST_TOOLS, day.over_commitment),
        buyout_gap=seen(COST_TOOLS, day.buyout_gap),
        covered_budget=seen(COST_TOOLS, day.covered_budget),
        invoiced_over=seen(Tool.COMMITMENTS, day.invoiced_over),
        handoff_drift=seen(Tool.BUDGET, day.handoff_drift),
    )


def totals_of(found: Iterable[Health]) -> list[Totals]:
    """One row per currency: amounts of two currencies are never added."""
    by_currency: dict[str, list[Health]] = defaultdict(list)
    for health in found:
        for own in (health, *health.others):
            by_currency[own.currency].append(own)

    def added(rows: list[Health], name: str) -> Any:
        values = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        return sum(values) if values else None

    names = (
        "overdue_rfis", "late_submittals", "exposure", "budget", "committed", "over_commitment",
    )  # fmt: skip
    return [
        Totals(
            currency,
            sum(row.projects for row in rows),
            any(row.left_out for row in rows),
            *(added(rows, name) for name in names),
        )
        for currency, rows in sorted(by_currency.items())
    ]
