"""Prometheus metrics of all tenants: counts and times, no customer content, no names."""

import hmac
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min, Sum
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from integrations.procore.sync.models import DueRead, DueWork, Incident, SyncCursor, SyncRun
from integrations.procore.webhooks.models import WebhookHook
from partner_app.connections.models import ApiDay
from partner_app.connections.usage import COUNTS
from partner_app.core import clock
from partner_app.core.client_ip import is_this_host
from partner_app.core.heartbeats import signs, waiting
from partner_app.dashboard.models import AlertChannel
from partner_app.dashboard.summaries import stale
from partner_app.estimates.models import FileWork
from partner_app.tenancy.models import Company

# Prometheus's content type, in UTF-8.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HELP = {
    "tieback_alert_channels_failing": "Alert channels whose last delivery failed",
    "tieback_api_calls": "Calls to Procore",
    "tieback_api_observations": "Answers that Procore counts against an app",
    "tieback_companies": "Companies by state",
    "tieback_due_companies": "Companies whose sync is due",
    "tieback_file_wait_seconds": "Age of the oldest file that waits to be read",
    "tieback_files_waiting": "Files that wait to be read",
    "tieback_hooks": "Webhooks by state",
    "tieback_incidents_open": "Open incidents by code",
    "tieback_queue_messages": "Messages waiting in the broker, by queue",
    "tieback_scheduler_alive": "1 while the scheduler reports",
    "tieback_stale_companies": "Companies not read for an hour",
    "tieback_stalest_seconds": "Age of the oldest reading, by resource",
    "tieback_sync_runs": "Sync runs kept, by state",
    "tieback_webhook_lag_seconds": "Age of the oldest webhook event that is not read yet",
    "tieback_workers_alive": "Workers that reported lately",
}


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For a collector that sends METRICS_TOKEN, or from this host without one in development.

    For all others the address does not exist. In production, a request from this host proves
    nothing: a proxy beside us may forward anyone's.
    """
    if not _may_collect(request):
        return HttpResponse(status=404)
    registry = CollectorRegistry()
    registry.register(Tenants())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE)


def _may_collect(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return settings.ON_LOCALHOST and is_this_host(request)


class Tenants(Collector):
    """Read from Postgres at each scrape, so that every process reports the same."""

    def collect(self) -> Iterator[Metric]:
        yield _by("tieback_companies", Company.objects, "state")
        yield _by("tieback_hooks", WebhookHook.objects, "state")
        yield _by("tieback_sync_runs", SyncRun.objects, "state")
        incidents = Incident.objects.filter(closed_at=None)
        yield _by("tieback_incidents_open", incidents, "code")
        now = clock.now()
        due = DueWork.objects.filter(due_at__lte=now)
        yield _one("tieback_due_companies", due.count())
        oldest = DueRead.objects.aggregate(oldest=Min("due_at"))["oldest"]
        yield _one("tieback_webhook_lag_seconds", _age(oldest, now))
        fresh = SyncCursor.objects.exclude(fresh_at=None).values("resource")
        stalest = _labelled("tieback_stalest_seconds", "resource")
        for row in fresh.annotate(oldest=Min("fresh_at")).order_by("resource"):
            stalest.add_metric([row["resource"]], _age(row["oldest"], now))
        yield stalest
        yield from _usage()
        files = FileWork.objects.filter(holder=None).aggregate(
            oldest=Min("asked_at"), n=Count("id")
        )
        yield _one("tieback_files_waiting", files["n"])
        yield _one("tieback_file_wait_seconds", _age(files["oldest"], now))
        queues = _labelled("tieback_queue_messages", "queue")
        for name, count in waiting(settings.QUEUES).items():
            if count is not None:
                queues.add_metric([name], count)
        yield queues
        alive = signs()
        yield _one("tieback_workers_alive", alive.workers)
        yield _one("tieback_scheduler_alive", int(alive.scheduler))
        yield _one("tieback_stale_companies", stale().count())
        silent = AlertChannel.objects.filter(failures__gt=0).count()
        yield _one("tieback_alert_channels_failing", silent)


def _usage() -> Iterator[CounterMetricFamily]:
    """Calls of the days that are kept; it grows, except for days deleted after ninety days."""
    calls = CounterMetricFamily("tieback_api_calls", HELP["tieback_api_calls"])
    name = "tieback_api_observations"
    answers = CounterMetricFamily(name, HELP[name], labels=["answer"])
    sums = ApiDay.objects.aggregate(**{name: Sum(name, default=0) for name in COUNTS})
    calls.add_metric([], sums.pop("calls"))
    for name, count in sums.items():
        answers.add_metric([name], count)
    yield calls
    yield answers


def _by(name: str, rows: object, label: str) -> GaugeMetricFamily:
    family = _labelled(name, label)
    for row in rows.values(label).annotate(number=Count("pk")).order_by(label):  # type: ignore[attr-defined]  # a manager or a queryset
        family.add_metric([row[label]], row["number"])
    return family


def _labelled(name: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, HELP[name], labels=[label])


def _one(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, HELP[name], value=value)


def _age(moment: datetime | None, now: datetime) -> float:
    return (now - moment).total_seconds() if moment else 0.0
