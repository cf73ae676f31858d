"""All tenants at a glance; polled every few seconds while the page is open."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Q

from integrations.procore.sync.models import Incident, RunState, SyncRun
from integrations.procore.sync.schedule import due_now
from partner_app.core import clock
from partner_app.core.heartbeats import Process, processes, waiting
from partner_app.dashboard.deliveries import Inbox, inbox
from partner_app.dashboard.summaries import STALE, connected
from partner_app.dashboard.usage import Usage, usage
from partner_app.tenancy.models import CONNECTED, Company, CompanyState

INCIDENTS_SHOWN = 6
FRESH = timedelta(minutes=20)  # since the oldest reading


@dataclass(frozen=True)
class Queues:
    """`overdue`: tenants whose sync is due and has not started; `running`: syncs in progress."""

    waiting: dict[str, int | None]
    overdue: int
    running: int
    processes: list[Process]


@dataclass(frozen=True)
class Overview:
    states: list[tuple[str, str, int]]  # value, label, tenants
    tenants: int
    paused: int
    fresh: int
    stale: int
    never: int
    incidents: list[Incident]
    open_incidents: int
    inbox: Inbox
    usage: Usage
    queues: Queues


def queues() -> Queues:
    return Queues(
        waiting=waiting(settings.QUEUES),
        overdue=due_now().count(),
        running=SyncRun.objects.filter(state=RunState.RUNNING).count(),
        processes=processes(),
    )


def overview() -> Overview:
    now = clock.now()
    grouped = (
        Company.objects.order_by()
        .values_list("state")
        .annotate(number=Count("id"), paused=Count("id", filter=Q(paused_at__isnull=False)))
    )
    rows = list(grouped)
    counts = {state: number for state, number, _ in rows}
    ages = connected().aggregate(
        known=Count("company_id"),
        fresh=Count("company_id", filter=Q(stalest_at__gte=now - FRESH)),
        stale=Count("company_id", filter=Q(stalest_at__lt=now - STALE)),
    )
    found = Incident.objects.filter(closed_at=None)
    return Overview(
        states=[(state, str(state.label), counts.get(state, 0)) for state in CompanyState],
        tenants=sum(counts.values()),
        paused=sum(number for _, _, number in rows),
        fresh=ages["fresh"],
        stale=ages["stale"],
        never=sum(counts.get(state, 0) for state in CONNECTED) - ages["known"],
        incidents=list(
            found.select_related("company").order_by("-opened_at", "-id")[:INCIDENTS_SHOWN]
        ),
        open_incidents=found.count(),
        inbox=inbox(),
        usage=usage(),
        queues=queues(),
    )
