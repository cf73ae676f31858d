"""Pushes and undos as jobs: claimed by lease, carried out with a person's rights, resumed.

The record is one row of HandoffWork. The holder of its lease continues; a process that was believed
dead finds out at its next step and stops.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import ProcoreError
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.sync.derived import DerivedWork, apart
from integrations.procore.sync.schedule import make_read_due
from partner_app.audit.events import Event
from partner_app.connections.access import viewer_client
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.purposes import CallPurpose
from partner_app.core import clock
from partner_app.core.errors import TiebackError
from partner_app.core.heartbeat import Heartbeat
from partner_app.core.i18n import gettext_noop
from partner_app.core.logging import log
from partner_app.handoffs import push, undo
from partner_app.handoffs.errors import (
    AnotherHandoff,
    BudgetLocked,
    GaveUp,
    HandoffError,
    PlanIsStale,
)
from partner_app.handoffs.models import Handoff, HandoffState, HandoffWork, Task
from partner_app.handoffs.record import note
from partner_app.handoffs.selectors import handoff_or_error
from partner_app.handoffs.states import WORKING, WRITTEN, move
from partner_app.handoffs.undo_request import check_requested, end_requests, needs_two
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import USABLE

# Longer than any single call, which takes 65 seconds at most: whatever a killed worker had sent has
# arrived at Procore, or never will, before another worker reads the budget and continues.
LEASE = timedelta(seconds=75)
BEAT = 5.0  # seconds between two renewals
AGAIN = timedelta(seconds=10)  # after a temporary fault; longer with each attempt
MOST_ATTEMPTS = 20
CLAIM = 50
READ_BACK = DerivedWork(
    "budget_rows", "derived.read_back",
    "A budget that was just written could not be queued for a sync ({cause}).",
)  # fmt: skip
STATES = {Task.PUSH: HandoffState.PUSHING, Task.UNDO: HandoffState.UNDOING}


class HandoffLeaseLost(HandoffError):
    code = "handoff.lease_lost"
    user_message = "Another process has taken over this handoff."
    remedy = "Nothing to do: it continues there."


class Cancelled(HandoffError):
    code = "handoff.cancelled"
    user_message = gettext_noop("It was stopped manually.")
    remedy = gettext_noop(
        "Lines already written stay. Push again to write the others, or undo the handoff."
    )


@dataclass(frozen=True)
class Actor:
    """Whose permission in Procore is used, and who is recorded."""

    remote_user_id: int
    actor: str


def begin(
    *, company_id: int, handoff_id: uuid.UUID, task: Task, rights: Actor, zero: bool = False
) -> None:
    """From this commit on it is carried out, even if processes die.

    With separation of duties, an undo must have been requested by another person, and only sets to
    zero what both want at zero. Raises NotNow, AnotherHandoff, UndoNotRequested, UndoNeedsAnother.
    """
    two = task is Task.UNDO and needs_two(company_id, rights.actor)
    with tenant(company_id):
        if task is Task.PUSH:
            end_requests(handoff_or_error(handoff_id).estimate, rights.actor)
        handoff = handoff_or_error(handoff_id, lock=True)
        if two and handoff.state in {*WRITTEN, HandoffState.UNDOING}:
            check_requested(handoff, rights.actor)
        other = _other_writer(handoff)
        if other or not _enter(handoff, STATES[task]):
            raise AnotherHandoff(name=other.estimate.file_name if other else "Another estimate")
        if task is Task.PUSH:
            handoff.pushed_by = rights.actor
        else:
            handoff.undone_by = rights.actor
        handoff.problem = handoff.problem_remedy = ""
        handoff.save()
        HandoffWork.objects.update_or_create(
            handoff_id=handoff_id,
            defaults={
                "company_id": company_id,
                "task": task,
                "remote_user_id": rights.remote_user_id,
                "due_at": clock.now(),
                "leased_until": None,
                "holder": None,
                "attempts": 0,
                "cancelled": False,
                "zero_what_stays": zero and (handoff.undo_zero or not two),
            },
        )


def cancel(*, company_id: int, handoff_id: uuid.UUID, actor: str) -> None:
    """Stops between two calls. Does nothing where it has ended already."""
    asked = HandoffWork.objects.filter(company_id=company_id, handoff_id=handoff_id)
    if asked.update(cancelled=True):
        with tenant(company_id):
            note(Event.HANDOFF_CANCELLED, handoff_or_error(handoff_id), actor)


def claim_due() -> list[int]:
    """Work without a holder; an operator's continues only when the operator starts it again."""
    now = clock.now()
    rows = HandoffWork.objects.filter(due_at__lte=now, company__state__in=USABLE)
    free = rows.filter(Q(leased_until=None) | Q(leased_until__lte=now)).exclude(remote_user_id=0)
    return list(free.order_by("due_at").values_list("id", flat=True)[:CLAIM])


def run(work_id: int) -> None:
    """Runs in a worker. Harmless twice: the second finds the lease taken."""
    work = _lease(work_id)
    if work is None:
        return
    with tenant(work.company_id):
        handoff = handoff_or_error(work.handoff_id)
    if handoff.state not in WORKING:
        work.delete()
        return
    try:
        client = viewer_client(work.company_id, work.remote_user_id, CallPurpose.PUSH)
        _carry_out(work, handoff, client)
    except HandoffLeaseLost:
        return
    except (ProcoreError, ReconnectNeeded, HandoffError) as error:
        _stopped(work, handoff, error)
    else:
        HandoffWork.objects.filter(id=work.id, holder=work.holder).delete()


def run_here(
    *,
    company_id: int,
    handoff: Handoff,
    task: Task,
    client: ProcoreClient,
    actor: str,
    zero: bool = False,
) -> None:
    """Runs in this process to the end, for an operator, with the same ledger and lease.

    Raises TiebackError, after which the same call continues where it stopped.
    """
    if handoff.state != STATES[task]:
        rights = Actor(0, actor)
        begin(company_id=company_id, handoff_id=handoff.id, task=task, rights=rights, zero=zero)
    found = HandoffWork.objects.filter(handoff_id=handoff.id).first()
    work = _lease(found.id, patient=False) if found else None
    if work is None:
        raise AnotherHandoff(name=handoff.estimate.file_name)
    with tenant(company_id):
        handoff.refresh_from_db()
    try:
        _carry_out(work, handoff, client)
    except TiebackError as error:
        if error.transient:
            _release(work, due_at=clock.now())
        else:
            _end(work, handoff, error)
        raise
    work.delete()


def _carry_out(work: HandoffWork, handoff: Handoff, client: ProcoreClient) -> None:
    """Also queues a reading of the budget, so that other pages show the change."""
    actor = handoff.pushed_by if work.task == Task.PUSH else handoff.undone_by
    checkpoint = _checkpoint(work)
    with Heartbeat(lambda: _renewed(work), every=BEAT):
        if work.task == Task.PUSH:
            push.carry_out(client, handoff, checkpoint, actor)
        else:
            undo.take_back(client, handoff, checkpoint, actor, zero=work.zero_what_stays)
    with apart(READ_BACK, work.company_id):
        make_read_due(
            company_id=work.company_id, project_id=handoff.project_id, resource=BudgetRow.spec.name
        )


def _checkpoint(work: HandoffWork) -> Callable[[], None]:
    def keep() -> None:
        """Renews the lease. Raises HandoffLeaseLost, Cancelled."""
        if not _renewed(work):
            raise HandoffLeaseLost
        if HandoffWork.objects.filter(id=work.id, cancelled=True).exists():
            raise Cancelled

    return keep


def _renewed(work: HandoffWork) -> bool:
    mine = HandoffWork.objects.filter(id=work.id, holder=work.holder)
    return bool(mine.update(leased_until=clock.now() + LEASE))


def _lease(work_id: int, *, patient: bool = True) -> HandoffWork | None:
    """`patient`: only when due; an operator continues at once where no worker is busy."""
    now = clock.now()
    with transaction.atomic():
        rows = HandoffWork.objects.select_for_update().filter(id=work_id)
        work = rows.filter(Q(leased_until=None) | Q(leased_until__lte=now)).first()
        if work is None or (patient and work.due_at > now):
            return None
        work.holder, work.leased_until = uuid.uuid4(), now + LEASE
        work.save(update_fields=["holder", "leased_until"])
    return work


def _release(work: HandoffWork, *, due_at: datetime) -> None:
    HandoffWork.objects.filter(id=work.id, holder=work.holder).update(
        leased_until=None, due_at=due_at, attempts=work.attempts + 1
    )


def _stopped(work: HandoffWork, handoff: Handoff, error: TiebackError) -> None:
    """A temporary fault is retried, visibly; any other ends the work with its message."""
    log.info("handoff.stopped", company_id=work.company_id, code=error.code)
    if error.transient and work.attempts < MOST_ATTEMPTS:
        until = getattr(error, "until", None) or clock.now() + AGAIN * min(work.attempts + 1, 6)
        with tenant(work.company_id):
            Handoff.objects.filter(id=handoff.id).update(
                waiting_until=until, problem=error.message, problem_remedy=error.advice
            )
        _release(work, due_at=until)
        return
    _end(work, handoff, GaveUp() if error.transient else error)


def _end(work: HandoffWork, handoff: Handoff, error: TiebackError) -> None:
    with tenant(work.company_id):
        handoff = handoff_or_error(handoff.id, lock=True)
        move(handoff, _state_after(handoff, error))
        handoff.problem, handoff.problem_remedy = error.message, error.advice
        handoff.waiting_until, handoff.finished_at = None, clock.now()
        handoff.save()
        note(Event.HANDOFF_STOPPED, handoff, "system")
    HandoffWork.objects.filter(id=work.id, holder=work.holder).delete()


def _state_after(handoff: Handoff, error: TiebackError) -> HandoffState:
    """The state after a refusal: as before when nothing was written, else partly done."""
    if handoff.state == HandoffState.UNDOING:
        return HandoffState.DONE if isinstance(error, BudgetLocked) else HandoffState.PARTIAL
    if isinstance(error, PlanIsStale):
        return HandoffState.STALE
    return HandoffState.PARTIAL if push.wrote_something(handoff) else HandoffState.APPROVED


def _other_writer(handoff: Handoff) -> Handoff | None:
    rows = Handoff.objects.filter(
        company_id=handoff.company_id, project_id=handoff.project_id, state__in=WORKING
    )
    return rows.exclude(id=handoff.id).select_related("estimate").first()


def _enter(handoff: Handoff, state: HandoffState) -> bool:
    """Inside tenant(). False when another handoff of the project is being written."""
    before = handoff.state
    move(handoff, state)
    try:
        with transaction.atomic():
            handoff.save()
    except IntegrityError:
        handoff.state = before
        return False
    return True
