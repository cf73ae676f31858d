"""How much of a reading is left: calls, projects and an estimated time, from what is known now."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from integrations.procore.resources.commitments import Commitment
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.spec import Changes, Scope
from integrations.procore.sync.models import SyncRun, SyncStep
from integrations.procore.sync.order import in_order_of_use
from integrations.procore.sync.use import uses_of
from partner_app.connections.purposes import CallPurpose
from partner_app.connections.rates import planned
from partner_app.core import clock
from partner_app.tenancy.context import tenant

KNOWN_AFTER = 20  # calls; before that the pace of a run is not reliable
INNER = tuple(n for n, model in RESOURCES.items() if model.spec.scope is Scope.PROJECT)
BY_PARENT = tuple(n for n in INNER if RESOURCES[n].spec.changes is Changes.PARENT)


@dataclass(frozen=True)
class ProjectLeft:
    """`calls` until the project is complete, including waiting; `ready_at` None: not known yet."""

    project_id: int
    calls: int
    ready_at: datetime | None

    @property
    def minutes(self) -> int | None:
        return _minutes_until(self.ready_at)


@dataclass(frozen=True)
class Remaining:
    """`projects`, and how many are `complete`; `ready_at` None: not known yet."""

    projects: int
    complete: int
    calls: int
    ready_at: datetime | None
    waiting: tuple[ProjectLeft, ...]

    @property
    def minutes(self) -> int | None:
        return _minutes_until(self.ready_at)


def _minutes_until(moment: datetime | None) -> int | None:
    return max(1, round((moment - clock.now()).total_seconds() / 60)) if moment else None


def left_of(left: Remaining | None, project_id: int) -> ProjectLeft | None:
    """None where the project is complete, or no first reading is under way."""
    if left is None:
        return None
    return next((each for each in left.waiting if each.project_id == project_id), None)


def remaining(run: SyncRun) -> Remaining:
    """Of a walk over everything. A list costs one call, the lines of contracts one per contract."""
    done = _done(run)
    order = in_order_of_use(uses := uses_of(run.company_id), uses)
    contracts = _contracts(run.company_id)
    pace = _pace(run)
    calls, waiting = 0, []
    for project in order:
        own = len(INNER) - len(BY_PARENT) - done[project, "lists"]
        if not done[project, "lines"]:
            own += contracts[project]
        calls += max(0, own)
        if done[project, "lists"] + done[project, "lines"] < len(INNER):
            waiting.append(ProjectLeft(project, calls, _after(calls, pace)))
    complete = len(order) - len(waiting)
    return Remaining(len(order), complete, calls, _after(calls, pace), tuple(waiting))


def _done(run: SyncRun) -> Counter[tuple[int, str]]:
    found: Counter[tuple[int, str]] = Counter()
    rows = SyncStep.objects.filter(run=run, done=True).exclude(project_id=0)
    kinds = {"lists": ~Q(resource__in=BY_PARENT), "lines": Q(resource__in=BY_PARENT)}
    for kind, which in kinds.items():
        counts = rows.filter(which).values_list("project_id").annotate(number=Count("id"))
        found.update({(project, kind): number for project, number in counts.order_by()})
    return found


def _contracts(company_id: int) -> Counter[int]:
    with tenant(company_id):
        rows = Commitment.objects.filter(company_id=company_id).order_by()
        return Counter(dict(rows.values_list("project_id").annotate(number=Count("remote_id"))))


def _pace(run: SyncRun) -> float | None:
    """Calls a second: as planned, or as made in this run."""
    share = 1 - CallPurpose.FIRST_READ.reserve
    plans = [plan.calls * share / plan.seconds for plan in planned()]
    if plans:
        return min(plans)
    made = sum(SyncStep.objects.filter(run=run).values_list("requests", flat=True))
    seconds = (clock.now() - run.started_at).total_seconds()
    return made / seconds if made >= KNOWN_AFTER and seconds else None


def _after(calls: int, pace: float | None) -> datetime | None:
    return clock.now() + timedelta(seconds=calls / pace) if pace else None
