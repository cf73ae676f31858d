"""Data for a public status page: whether the parts work, without anything about a tenant."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from integrations.procore.sync.models import Incident
from partner_app.core import clock
from partner_app.core.heartbeats import signs
from partner_app.dashboard.summaries import connected, stale

MANY = 0.05  # of the tenants: fewer have their own problem


@require_safe
def status_data(_request: HttpRequest) -> JsonResponse:
    """`{"state", "components": {name: state}, "as_of"}`; each state is "ok" or "trouble"."""
    number = max(connected().count(), 1)
    ill = Incident.objects.filter(closed_at=None).values("company_id").distinct().count()
    alive = signs()
    works = {
        "workers": alive.workers > 0,
        "scheduler": alive.scheduler,
        "freshness": stale().count() / number <= MANY,
        "synchronisation": ill / number <= MANY,
    }
    components = {name: "ok" if fine else "trouble" for name, fine in works.items()}
    state = "ok" if all(works.values()) else "trouble"
    return JsonResponse({"state": state, "components": components, "as_of": clock.now()})
