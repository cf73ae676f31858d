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

# As Prometheus reads it, and in UTF-8.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For a collector that knows METRICS_TOKEN, or without one for this host in development.

    To anybody else the address does not exist. That a request comes from this host proves nothing
    in production: a proxy beside us may hand on anybody's.
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
    """Asked of Postgres at each scrape, so that every process tells the same."""

    def collect(self) -> Iterator[Metric]:
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
        yield from _usage()
        files = FileWork.objects.filter(holder=None).aggregate(
            oldest=Min("asked_at"), n=Count("id")
        )
        yield _one("tieback_files_waiting", "Files that wait to be read", files["n"])
        age = "Age of the oldest file that waits to be read"
        yield _one("tieback_file_wait_seconds", age, _age(files["oldest"], now))
        queues = GaugeMetricFamily("tieback_queue_messages", "Bells waiting", labels=["queue"])
        for name, count in waiting(settings.QUEUES).items():
            if count is not None:
                queues.add_metric([name], count)
        yield queues
        alive = signs()
        yield _one("tieback_workers_alive", "Workers that gave a sign lately", alive.workers)
        beats = "1 while the scheduler gives signs"
        yield _one("tieback_scheduler_alive", beats, int(alive.scheduler))
        yield _one("tieback_stale_companies", "Companies stale for an hour", stale().count())
        silent = AlertChannel.objects.filter(failures__gt=0).count()
        yield _one("tieback_alert_channels_failing", "Channels that take no alert", silent)


def _usage() -> Iterator[CounterMetricFamily]:
    """Calls of the days that are kept; it grows, but for what is forgotten after ninety days."""
    calls = CounterMetricFamily("tieback_api_calls", "Calls to Procore")
    answers = CounterMetricFamily(
        "tieback_api_observations", "Answers that Procore scores an app by", labels=["answer"]
    )
    sums = ApiDay.objects.aggregate(**{name: Sum(name, default=0) for name in COUNTS})
    calls.add_metric([], sums.pop("calls"))
    for name, count in sums.items():
        answers.add_metric([name], count)
    yield calls
    yield answers


def _by(name: str, text: str, rows: object, label: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for row in rows.values(label).annotate(number=Count("pk")).order_by(label):  # type: ignore[attr-defined]  # a manager or a queryset
        family.add_metric([row[label]], row["number"])
    return family


def _one(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _age(moment: datetime | None, now: datetime) -> float:
    return (now - moment).total_seconds() if moment else 0.0
