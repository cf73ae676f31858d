"""What other rooms read of handoffs."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Sum

from partner_app.estimates.errors import EstimateUnknown
from partner_app.estimates.models import Estimate
from partner_app.handoffs.errors import NoPlan
from partner_app.handoffs.models import Handoff, HandoffState


def estimate_or_error(estimate_id: str) -> Estimate:
    """Raises EstimateUnknown."""
    found = Estimate.objects.filter(id=estimate_id).first()
    if found is None:
        raise EstimateUnknown(estimate_id=estimate_id)
    return found


def newest_handoff(estimate_id: str) -> Handoff:
    """Raises NoPlan."""
    found = Handoff.objects.filter(estimate_id=estimate_id).order_by("-created_at").first()
    if found is None:
        raise NoPlan
    return found


def handed_off_totals(company_id: int, project_ids: Iterable[int]) -> dict[int, Decimal]:
    """The total of each project's newest handoff that stands."""
    newest = (
        Handoff.objects.filter(
            company_id=company_id,
            project_id__in=project_ids,
            state__in=[HandoffState.DONE, HandoffState.PARTIAL],
        )
        .order_by("project_id", "-created_at")
        .distinct("project_id")
    )
    return {handoff.project_id: handoff.total for handoff in newest}


def counts(handoff: Handoff) -> dict[str, int]:
    found = {"create": 0, "update": 0, "unchanged": 0, "blocked": 0, "rows": 0}
    for row in handoff.rows.values_list("action", flat=True):
        found[row] += 1
        found["rows"] += 1
    return found


def pushed_total(handoff: Handoff) -> Decimal:
    return handoff.rows.aggregate(total=Sum("after"))["total"] or Decimal(0)
