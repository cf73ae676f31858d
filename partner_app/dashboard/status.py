"""Data for a public status page: whether the parts work, without a word about any tenant."""

from django.http import HttpRequest, JsonResponse

from integrations.procore.sync.models import Incident
from partner_app.core import clock
from partner_app.core.pulse import processes
from partner_app.dashboard.models import TenantSummary
from partner_app.dashboard.overview import STALE
from partner_app.tenancy.models import CONNECTED

MANY = 0.05  # of the tenants: fewer are trouble of their own


def status_data(_request: HttpRequest) -> JsonResponse:
    """`{"state", "components": {name: state}, "as_of"}`; each state is "ok" or "trouble"."""
    tenants = TenantSummary.objects.filter(company__state__in=CONNECTED)
    number = max(tenants.count(), 1)
    stale = tenants.filter(stalest_at__lt=clock.now() - STALE).count()
    ill = Incident.objects.filter(closed_at=None).values("company_id").distinct().count()
    signs = processes()
    works = {
        "workers": any(each.alive for each in signs if each.name != "scheduler"),
        "scheduler": any(each.alive for each in signs if each.name == "scheduler"),
        "freshness": stale / number <= MANY,
        "synchronisation": ill / number <= MANY,
    }
    components = {name: "ok" if fine else "trouble" for name, fine in works.items()}
    state = "ok" if all(works.values()) else "trouble"
    return JsonResponse({"state": state, "components": components, "as_of": clock.now()})
