"""When each company syncs next: pending work, leases on it, and an adaptive interval.

Postgres holds one row per company. The cost of a tick depends on what is due, not on what exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from integrations.procore.sync.models import DueRead, DueWork, Mode, RunState, SyncRun
from integrations.procore.sync.order import PlannedRead
from integrations.procore.sync.planned_reads import SOONEST, looks_due, next_look
from integrations.procore.sync.runs import LEASE
from partner_app.core import clock
from partner_app.tenancy.models import CONNECTED

SLOWEST = 300  # seconds between polls of one company, where calls are not planned
WITH_HOOKS = 900  # the same with webhooks
SHARE = 0.3  # of the hourly call budget that polls may use
# Calls; Procore's documented example: https://developers.procore.com/documentation/rate-limiting
HOURLY_BUDGET = 3600
CLAIM = 100  # companies that a tick queues


@dataclass(frozen=True)
class Work:
    """A worker's task for a company: a full sync, or these lists."""

    mode: Mode
    looks: Sequence[PlannedRead] = ()


def make_due(*, company_id: int) -> None:
    """Queues what changed until now, for the next free worker; committed with the caller's work."""
    now = clock.now()
    DueWork.objects.update_or_create(
        company_id=company_id, defaults={"due_at": now, "asked_at": now, "leased_until": None}
    )


def make_full_due(*, company_id: int) -> None:
    """Queues a full sync, as at the first time, for the next free worker."""
    now = clock.now()
    DueWork.objects.update_or_create(
        company_id=company_id, defaults={"due_at": now, "full_due_at": now, "leased_until": None}
    )


def make_read_due(
    *, company_id: int, resource: str, project_id: int, at: datetime | None = None
) -> None:
    """Queues one list that we changed ourselves; due at once where `at` is not given."""
    at = at or clock.now()
    part = {"company_id": company_id, "resource": resource, "project_id": project_id}
    due, _ = DueRead.objects.get_or_create(**part, sweep=False, defaults={"due_at": at})
    if due.due_at > at:
        DueRead.objects.filter(id=due.id).update(due_at=at)
    DueWork.objects.filter(company_id=company_id, due_at__gt=at).update(due_at=at)


def schedule_new_companies() -> None:
    """Queues companies that were never queued: one statement, whatever their number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procore_duework (company_id, due_at, pace, hooked) "
            "SELECT c.id, now(), 0, false FROM tenancy_company c WHERE c.state = ANY(%s) "
            "AND NOT EXISTS (SELECT FROM procore_duework d WHERE d.company_id = c.id) "
            "ON CONFLICT DO NOTHING",
            [list(CONNECTED)],
        )


def wake_companies_with_pending_events() -> None:
    """Queues companies whose webhook events arrived while their last run was finishing.

    That run no longer saw the events, and the delivery found the company already queued. Locking
    both would serialise all deliveries of a company, so this checks afterwards. An open run that
    has to wait continues when it may, and then reads the events.
    """
    running = SyncRun.objects.filter(company=OuterRef("company"), state=RunState.RUNNING)
    now = clock.now()
    missed = DueWork.objects.filter(
        ~Exists(running),
        due_at__gt=now,
        company__in=DueRead.objects.filter(due_at__lte=now).values("company"),
    )
    missed.update(due_at=now)


def claim_due() -> list[int]:
    """Companies whose sync is due; each gets at most one wake-up message per lease."""
    now = clock.now()
    with transaction.atomic():
        rows = list(
            DueWork.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(_due(now), _unleased(now))
            .order_by("due_at")[:CLAIM]
        )
        DueWork.objects.filter(id__in=[row.id for row in rows]).update(leased_until=now + LEASE)
    return [row.company_id for row in rows]


def work_due(company_id: int) -> Work | None:
    """An open run continues in its own mode; see runs.take_run."""
    now = clock.now()
    due = DueWork.objects.filter(company_id=company_id).first()
    if due is None or due.due_at > now:
        return None
    asked = due.full_due_at is not None and due.full_due_at <= now
    if asked or not synced_before(company_id):
        return Work(Mode.FULL)
    return Work(Mode.TARGETED, looks_due(due))


def synced_before(company_id: int) -> bool:
    return SyncRun.objects.filter(
        company_id=company_id, mode=Mode.FULL, state__in=[RunState.DONE, RunState.PARTIAL]
    ).exists()


def plan_next(*, company_id: int, run: SyncRun | None) -> bool:
    """After a run; True when more is due now. Without a run the company cannot be called."""
    if run is None:
        DueWork.objects.filter(company_id=company_id).delete()
        return False
    with transaction.atomic():
        due = DueWork.objects.select_for_update().filter(company_id=company_id).first()
        if due is None:
            return False
        now = clock.now()
        due.pace = _pace(due.pace, run, hooked=due.hooked)
        if run.mode == Mode.FULL and due.full_due_at and due.full_due_at <= run.started_at:
            due.full_due_at = None
        told = DueRead.objects.filter(company_id=company_id).aggregate(first=Min("due_at"))["first"]
        due.due_at = min(filter(None, (next_look(due), due.full_due_at, told)))
        due.leased_until = None
        due.save()
        return due.due_at <= now


def give_back(*, company_id: int, wait_seconds: float) -> None:
    """Leaves the work for later where a worker may not wait."""
    later = clock.now() + timedelta(seconds=wait_seconds)
    DueWork.objects.filter(company_id=company_id).update(due_at=later, leased_until=None)


def others_wait(company_id: int) -> bool:
    now = clock.now()
    return due_now().filter(_unleased(now)).exclude(company_id=company_id).exists()


def due_now() -> QuerySet[DueWork]:
    """Due syncs of companies that may be called, whether or not a worker has them."""
    return DueWork.objects.filter(_due(clock.now()))


def _due(now: datetime) -> Q:
    return Q(due_at__lte=now, company__state__in=CONNECTED, company__paused_at=None)


def _unleased(now: object) -> Q:
    return Q(leased_until=None) | Q(leased_until__lte=now)


def _pace(former: int, run: SyncRun, *, hooked: bool) -> int:
    """Faster while much changes, slower while nothing does, never beyond the share of calls."""
    changed = run.steps.filter(_changed()).exists()
    pace = (former or SOONEST) * (0.5 if changed else 1.5)
    within_budget = run.requests / (HOURLY_BUDGET * SHARE / 3600)
    slowest = WITH_HOOKS if hooked else SLOWEST
    quickest = WITH_HOOKS if hooked else SOONEST
    return round(max(within_budget, min(max(pace, quickest), slowest)))


def _changed() -> Q:
    return Q(created__gt=0) | Q(updated__gt=0) | Q(deleted__gt=0)
