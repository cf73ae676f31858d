"""Prometheus metrics of all tenants: counts and times, no customer content, no names."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from integrations.procore.sync.models import DueRead, DueWork, Incident, SyncCursor, SyncRun
from integrations.procore.webhooks.models import WebhookHook
from partner_app.core import clock
from partner_app.core.origin import is_this_host
from partner_app.tenancy.models import Company


def metrics(request: HttpRequest) -> HttpResponse:
    """For a collector on this host; elsewhere the address does not exist."""
    if not is_this_host(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Tenants())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4")


class Tenants(Collector):
    """Asked of Postgres at each scrape, so that every process tells the same."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _by("tieback_companies", "Companies by state", Company.objects, "state")
        yield _by("tieback_hooks", "Webhooks by state", WebhookHook.objects, "state")
        yield _by("tieback_sync_runs", "Syncs kept, by state", SyncRun.objects, "state")
        incidents = Incident.objects.filter(closed_at=None)
        yield _by("tieback_incidents_open", "Open incidents by code", incidents, "code")
        now = clock.now()
        due = DueWork.objects.filter(due_at__lte=now)
        yield _one("tieback_due_companies", "Companies whose sync is due", due.count())
        told = DueRead.objects.aggregate(oldest=Min("due_at"))["oldest"]
        lag = "Age of the oldest change told by a webhook and not yet read"
        yield _one("tieback_webhook_lag_seconds", lag, _age(told, now))
        fresh = SyncCursor.objects.exclude(fresh_at=None).values("resource")
        stalest = GaugeMetricFamily(
            "tieback_stalest_seconds", "Age of the oldest reading", labels=["resource"]
        )
        for row in fresh.annotate(oldest=Min("fresh_at")).order_by("resource"):
            stalest.add_metric([row["resource"]], _age(row["oldest"], now))
        yield stalest


def _by(name: str, text: str, rows: object, label: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for row in rows.values(label).annotate(number=Count("pk")).order_by(label):  # type: ignore[attr-defined]  # a manager or a queryset
        family.add_metric([row[label]], row["number"])
    return family


def _one(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _age(moment: datetime | None, now: datetime) -> float:
    return (now - moment).total_seconds() if moment else 0.0
