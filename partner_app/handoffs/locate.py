"""Finds the company of an estimate, for an operator who has only the estimate's id."""

from partner_app.estimates.errors import EstimateUnknown
from partner_app.estimates.models import Estimate
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company


def company_of_estimate(estimate_id: str) -> int:
    """Looks in each company inside its own tenant(): no query sees two. Raises EstimateUnknown."""
    for company_id in Company.objects.order_by("id").values_list("id", flat=True):
        with tenant(company_id):
            if Estimate.objects.filter(id=estimate_id).exists():
                return company_id
    raise EstimateUnknown(estimate_id=estimate_id)
