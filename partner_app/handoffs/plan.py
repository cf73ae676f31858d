"""A plan: the diff against the current budget, stored with a fingerprint of both."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from integrations.procore.api.client import ProcoreClient
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.wbs_codes import WbsCode
from partner_app.audit.events import Event
from partner_app.core import clock
from partner_app.core.i18n import gettext_noop
from partner_app.core.money import to_cents
from partner_app.estimates.models import Estimate, EstimateProblem, EstimateState
from partner_app.estimates.selectors import exact_sums, single_prices
from partner_app.estimates.services import estimate_or_error
from partner_app.handoffs.diff import Budget, PlannedRow, fingerprint, plan_against
from partner_app.handoffs.live import LiveBudget, read_budget
from partner_app.handoffs.models import Action, Handoff, HandoffRow, HandoffState
from partner_app.handoffs.record import note
from partner_app.handoffs.selectors import amounts_given, handoff_before
from partner_app.handoffs.states import OPEN
from partner_app.handoffs.undo_request import end_requests
from partner_app.tabular.units import unit_name
from partner_app.tenancy.context import tenant

LEFT_ALONE_SHOWN = 500  # budget lines outside the estimate that a plan lists
BATCH = 1000  # rows written at once


def make_plan(
    *,
    company_id: int,
    estimate_id: UUID | str,
    client: ProcoreClient,
    actor: str,
    overrides: Collection[str] = (),
) -> Handoff:
    """Replaces open plans of the same estimate, which become stale.

    Raises ProcoreError, EstimateUnknown.
    """
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id)
        exact, unmapped = exact_sums(estimate)
        prices = single_prices(estimate)
        before = handoff_before(estimate)
        last = amounts_given(before) if before else {}
    live = read_budget(client, company_id, estimate.project_id, with_units=True)
    rows = plan_against(exact, Budget(live.codes, live.lines, last, overrides, live.doubtful))
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id, lock=True)
        end_requests(estimate, actor)
        handoff = Handoff.objects.create(
            company_id=company_id,
            estimate=estimate,
            project_id=estimate.project_id,
            fingerprint=fingerprint(bytes(estimate.file_hash), rows),
            estimate_version=estimate.version,
            total=to_cents(sum(exact.values(), Decimal(0))),
            currency=live.currency or "USD",
            unmapped=unmapped,
            obstacles=_obstacles(estimate, live),
            left_alone=_left_alone(rows, live),
            overrides=sorted(overrides),
            created_at=clock.now(),
            created_by=actor,
        )
        HandoffRow.objects.bulk_create(
            [_row(handoff, row, prices, live.units) for row in rows], batch_size=BATCH
        )
        open_plans = Handoff.objects.filter(estimate=estimate, state__in=OPEN)
        open_plans.exclude(id=handoff.id).update(state=HandoffState.STALE)
        note(Event.HANDOFF_PLANNED, handoff, actor)
    return handoff


def _obstacles(estimate: Estimate, live: LiveBudget) -> list[str]:
    """What blocks the whole plan, in words."""
    found = []
    if estimate.state == EstimateState.ASKING:
        found.append(str(estimate.question.get("message", "The file needs an answer first.")))
    bad = EstimateProblem.objects.filter(estimate=estimate, blocking=True).count()
    if bad:
        found.append(f"{bad} cell{'s' if bad > 1 else ''} of the file cannot be read")
    if live.locked:
        found.append(
            gettext_noop("The budget is locked in Procore; original amounts cannot be changed")
        )
    if _hidden(estimate, live):
        found.append(
            gettext_noop(
                "Procore shows an empty budget, but Tieback has read one before; check the app’s "
                "access to Budget in Procore"
            )
        )
    named = set(estimate.layout.get("currencies", [])) - {live.currency}
    if named and live.currency:
        found.append(f"The file is in {', '.join(sorted(named))}, the project in {live.currency}")
    return found


def _hidden(estimate: Estimate, live: LiveBudget) -> bool:
    """An empty list may be a missing permission: every line would then be created a second time."""
    here = {"company_id": estimate.company_id, "project_id": estimate.project_id}
    lines = BudgetRow.objects.filter(**here, unbudgeted_reason="")
    codes = WbsCode.objects.filter(**here)
    return (not live.lines and lines.exists()) or (not live.codes and codes.exists())


def _left_alone(rows: list[PlannedRow], live: LiveBudget) -> list[dict[str, str]]:
    named = {row.wbs_code_id for row in rows}
    found = [
        {"code": code, "name": each.name, "amount": str(live.lines[each.wbs_code_id].amount)}
        for code, each in sorted(live.codes.items())
        if each.wbs_code_id in live.lines and each.wbs_code_id not in named
    ]
    found += [
        {"code": "", "name": name, "amount": str(amount)}
        for name, amount in sorted(live.untied.items())
    ]
    return found[:LEFT_ALONE_SHOWN]


def _row(
    handoff: Handoff,
    row: PlannedRow,
    prices: Mapping[str, tuple[Decimal, str, Decimal]],
    units: Mapping[str, str],
) -> HandoffRow:
    quantity, unit, price = prices.get(row.wbs_code, (None, "", None))
    uom = units.get(unit_name(unit) or unit.lower(), "")
    writes = row.action in {Action.CREATE, Action.UPDATE}
    if writes and unit and not uom and units:
        row = replace(
            row,
            reason=row.reason or f"the unit {unit} is not in the company’s list, so none is sent",
        )
    return HandoffRow(
        company_id=handoff.company_id,
        handoff=handoff,
        wbs_code=row.wbs_code,
        wbs_name=row.name,
        wbs_code_id=row.wbs_code_id,
        action=row.action,
        reason=row.reason,
        before=row.before,
        after=row.after,
        last=row.last,
        moved=row.moved,
        quantity=quantity if uom else None,
        uom=uom if quantity is not None else "",
        unit_cost=price if uom else None,
        line_item_id=row.line_item_id,
    )
