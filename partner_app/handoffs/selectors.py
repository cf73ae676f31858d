"""Reads handoffs for pages and for other packages."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from integrations.procore.resources.budget_codes import tied_rows
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.sync.models import SyncCursor
from partner_app.estimates.mapping.suggest import division
from partner_app.estimates.models import Estimate, EstimateLine
from partner_app.handoffs.errors import HandoffUnknown, NoPlan
from partner_app.handoffs.models import (
    Action,
    Handoff,
    HandoffRow,
    HandoffState,
    RowState,
    UndoRequest,
)
from partner_app.handoffs.states import WRITTEN

ZERO = Decimal(0)


@dataclass(frozen=True)
class Division:
    """Totals of the WBS codes with the same beginning."""

    code: str
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True)
class Drift:
    """A code whose budget in Procore differs from what was handed off."""

    wbs_code: str
    wbs_name: str
    given: Decimal
    live: Decimal | None


@dataclass(frozen=True)
class HandoffProgress:
    """Rows to write, and how many are done."""

    wanted: int
    confirmed: int
    refused: int


def newest_handoff(estimate_id: str | UUID) -> Handoff:
    """Raises NoPlan."""
    found = Handoff.objects.filter(estimate_id=estimate_id).order_by("-created_at").first()
    if found is None:
        raise NoPlan
    return found


def handoff_or_error(handoff_id: UUID, *, lock: bool = False) -> Handoff:
    """Inside tenant(). Raises HandoffUnknown."""
    rows = Handoff.objects.filter(id=handoff_id)
    found = (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise HandoffUnknown
    return found


def handoff_before(estimate: Estimate) -> Handoff | None:
    """The one whose amounts are in the budget: of this estimate, or of one that it revises."""
    written = Handoff.objects.filter(estimate_id__in=revised(estimate), state__in=WRITTEN)
    return written.order_by("-created_at").first()


def revised(estimate: Estimate) -> list[UUID]:
    """Ids of the estimate and of those that it revises, directly or not."""
    chain = [estimate.id]
    above = estimate.revision_of
    while above is not None and above.id not in chain:
        chain.append(above.id)
        above = above.revision_of
    return chain


def amounts_given(handoff: Handoff) -> dict[str, Decimal]:
    """By WBS code: what the handoff wrote, or found already as wanted."""
    rows = handoff.rows.filter(state=RowState.CONFIRMED)
    return dict(rows.values_list("wbs_code", "after"))


def handed_off_totals(company_id: int, project_ids: Iterable[int]) -> dict[int, Decimal]:
    """The total of each project's newest handoff that is still in the budget."""
    newest = (
        Handoff.objects.filter(
            company_id=company_id, project_id__among=set(project_ids), state__in=WRITTEN
        )
        .order_by("project_id", "-created_at")
        .distinct("project_id")
    )
    return {handoff.project_id: handoff.total for handoff in newest}


def newest_standing(company_id: int, project_id: int) -> Handoff | None:
    """Inside tenant(): the project's newest handoff with lines in Procore."""
    rows = Handoff.objects.filter(company_id=company_id, project_id=project_id, state__in=WRITTEN)
    return rows.order_by("-created_at").first()


def written_codes(handoff: Handoff) -> set[int]:
    """Inside tenant(): ids of the WBS codes whose budget it wrote."""
    rows = handoff.rows.filter(state=RowState.CONFIRMED).exclude(wbs_code_id=None)
    return {key for key in rows.values_list("wbs_code_id", flat=True) if key}


def estimates_of(company_id: int, project_id: int) -> "QuerySet[Estimate]":
    """Newest first, each with its number of lines and of unmapped lines."""
    lines = EstimateLine.objects.filter(estimate=OuterRef("pk"))
    return (
        Estimate.objects.filter(company_id=company_id, project_id=project_id)
        .annotate(line_count=_count(lines), open_count=_count(lines.filter(mapped=False)))
        .order_by("-created_at")
    )


def _count(rows: "QuerySet[EstimateLine]") -> Coalesce:
    counted = rows.order_by().values("estimate").annotate(number=Count("id")).values("number")
    return Coalesce(Subquery(counted), 0)


def newest_by_estimate(company_id: int, estimate_ids: Iterable[UUID]) -> dict[UUID, Handoff]:
    rows = Handoff.objects.filter(company_id=company_id, estimate_id__in=list(estimate_ids))
    newest = rows.order_by("estimate_id", "-created_at").distinct("estimate_id")
    return {handoff.estimate_id: handoff for handoff in newest}


def waiting_for_approval(company_id: int, project_ids: Iterable[int]) -> "QuerySet[Handoff]":
    rows = Handoff.objects.filter(company_id=company_id, project_id__among=set(project_ids))
    return rows.filter(state=HandoffState.SUBMITTED).order_by("submitted_at")


def waiting_for_undo(company_id: int, project_ids: Iterable[int]) -> "QuerySet[Handoff]":
    """An undo was requested, and nobody has done or declined it."""
    rows = Handoff.objects.filter(company_id=company_id, project_id__among=set(project_ids))
    open_requests = rows.filter(undo_request=UndoRequest.OPEN, state__in=WRITTEN)
    return open_requests.order_by("undo_asked_at")


def counts(handoff: Handoff) -> dict[str, int]:
    found: dict[str, int] = {action.value: 0 for action in Action}
    for row in handoff.rows.values("action").annotate(rows=Count("id")):
        found[row["action"]] = row["rows"]
    return {**found, "rows": sum(found.values())}


def rows_of(handoff: Handoff, *, action: str = "") -> "QuerySet[HandoffRow]":
    rows = handoff.rows.order_by("wbs_code")
    return rows.filter(action=action) if action else rows


def planned_totals(handoff: Handoff) -> dict[str, Decimal]:
    """Of all rows: the budget before and after."""
    sums = handoff.rows.aggregate(before=Sum("before"), after=Sum("after"))
    kept = handoff.rows.filter(action=Action.LEFT).aggregate(after=Sum("after"), live=Sum("before"))
    left = (kept["live"] or ZERO) - (kept["after"] or ZERO)
    before, after = sums["before"] or ZERO, (sums["after"] or ZERO) + left
    return {"before": before, "after": after, "change": after - before, "left": left}


def divisions(handoff: Handoff) -> list[Division]:
    before: dict[str, Decimal] = {}
    after: dict[str, Decimal] = {}
    for code, was, becomes, action in handoff.rows.values_list(
        "wbs_code", "before", "after", "action"
    ):
        key = division(code)
        before[key] = before.get(key, ZERO) + (was or ZERO)
        kept = (was or ZERO) if action == Action.LEFT else becomes
        after[key] = after.get(key, ZERO) + kept
    return [Division(code, before[code], after[code]) for code in sorted(before)]


def progress(handoff: Handoff) -> HandoffProgress:
    writes = handoff.rows.filter(action__in=[Action.CREATE, Action.UPDATE])
    counted: dict[str, Any] = writes.aggregate(
        wanted=Count("id"),
        confirmed=Count("id", filter=Q(state__in=[RowState.CONFIRMED, RowState.UNDONE])),
        refused=Count("id", filter=Q(state=RowState.REFUSED)),
    )
    return HandoffProgress(**counted)


def drift(handoff: Handoff) -> list[Drift]:
    """Codes whose budget in the last sync differs from what was handed off.

    Nothing is known until the budget was read again after the handoff ended.
    """
    cursors = SyncCursor.objects.filter(
        company_id=handoff.company_id, project_id=handoff.project_id, resource="budget_rows"
    )
    ended = handoff.undone_at or handoff.finished_at
    if ended is None or not cursors.filter(fresh_at__gt=ended).exists():
        return []
    rows = handoff.rows.filter(state=RowState.CONFIRMED).order_by("wbs_code")
    ids = [row.wbs_code_id for row in rows]
    live = _budget_by_code(handoff.company_id, handoff.project_id, ids)
    return [
        Drift(row.wbs_code, row.wbs_name, row.after, live.get(row.wbs_code_id))
        for row in rows
        if live.get(row.wbs_code_id) != row.after
    ]


def _budget_by_code(
    company_id: int, project_id: int, codes: Iterable[int | None]
) -> dict[int | None, Decimal]:
    """Original amounts from the last sync, of codes that have a budget line."""
    tied, wanted = tied_rows(company_id, project_id), set(codes)
    rows = BudgetRow.objects.filter(
        company_id=company_id, project_id=project_id, unbudgeted_reason=""
    )
    found: dict[int | None, Decimal] = {}
    for key, own, amount in rows.values_list("remote_id", "wbs_code_id", "original_budget_amount"):
        if (code := own or tied.get(key)) in wanted:
            found[code] = found.get(code, ZERO) + (amount or ZERO)
    return found
