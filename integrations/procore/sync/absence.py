"""Records that a list no longer shows: which are in doubt, what is known of them, and since when.

A list that is empty, lacks many records or is refused deletes nothing before there is a proof.
Nothing here calls Procore: see proof.py.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count

from integrations.procore.resources.decoding import Decoded
from integrations.procore.resources.nested import HOLDER
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import SourceRecord, kept_fields
from integrations.procore.resources.spec import Changes, Scope
from integrations.procore.sync.models import Absence, Mode, Permission, Reason, SyncCursor, SyncRun
from integrations.procore.sync.parts import Job, Key, open_absences
from integrations.procore.sync.schedule import make_read_due
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company

# Delay between two searches for a proof; the last one repeats.
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (15, 60, 240, 720, 1440))
# The same where Procore's limit ended the search, which says nothing of the records: sooner, but
# not in a tight loop, because the list is read again each time.
AFTER_LIMIT = tuple(timedelta(minutes=minutes) for minutes in (0, 1, 5, 15, 60))
ADD_UP = timedelta(hours=24)  # small losses within it are added up
# Records that Procore withholds are kept at least this long, however short the company's grace
# period: an update of the app clears its permitted projects, and selecting them again takes people
# some days.
KEPT_AT_LEAST = timedelta(days=7)
PROJECTS = "projects"
Shown = Mapping[int, Collection[int]]  # ids by step


@dataclass
class Loss:
    """What one list no longer shows. The deletion of `doubted` records needs a proof."""

    job: Job
    missing: set[int]
    shown: int
    reason: Reason | None = None
    doubted: set[int] = field(default_factory=set)
    parents: dict[int, set[int]] = field(default_factory=dict)  # doubted ones by their parent
    proved: set[int] = field(default_factory=set)
    permission: Permission = Permission.UNKNOWN
    asked: bool = False  # whether a proof was searched for
    barred_until: datetime | None = None  # by Procore's limit, before the search ended

    @property
    def kept(self) -> set[int]:
        return self.doubted - self.proved

    @property
    def gone(self) -> set[int]:
        return self.missing - self.kept

    @property
    def lists(self) -> list[set[int]]:
        """The records in doubt, by the list that lacks them: each needs its own proof."""
        groups = list(self.parents.values()) or [self.doubted]
        return [ids & self.kept for ids in groups if ids & self.kept]


def judge(*, shown: int, missing: int, earlier: int = 0) -> Reason | None:
    """The reason not to believe a list. `earlier`: its losses within the last day."""
    if not missing:
        return None
    if not shown:
        return Reason.EMPTY
    lost, limits = missing + earlier, settings.DOUBT
    many = lost > limits.floor and lost * 100 > limits.share * (shown + lost)
    return Reason.SHRUNK if many else None


class Absences:
    """Of one run. Calls about a job come between its last page and its end."""

    def __init__(self, run: SyncRun) -> None:
        self.run = run
        self.open = open_absences(run.company_id)
        self.losses: dict[int, Loss] = {}  # by step

    def weigh(
        self, jobs: Iterable[Job], shown: Shown, unwritten: Mapping[int, list[Decoded]]
    ) -> list[Loss]:
        """Inside tenant(). Returns the losses that need a proof now."""
        by_model: dict[type[SourceRecord], list[Job]] = defaultdict(list)
        for job in jobs:
            if job.step.resource != PROJECTS and not job.blind:
                by_model[job.model].append(job)
        wanted = []
        for model, group in by_model.items():
            children = model.spec.changes is Changes.PARENT
            losses = _children(group, shown) if children else _lists(group, shown)
            for loss in losses:
                self._doubt(loss, shown, unwritten)
                self.losses[loss.job.step.id] = loss
                if loss.kept and self._due(loss.job):
                    wanted.append(loss)
        return wanted

    def of(self, job: Job) -> Absence | None:
        return self.open.get(job.key)

    def gone(self, job: Job) -> set[int]:
        loss = self.losses.get(job.step.id)
        return loss.gone if loss else set()

    def settle(self, job: Job) -> None:
        """In the writing transaction: notes what stays in doubt and removes what is resolved."""
        loss = self.losses.pop(job.step.id, None)
        known = self.of(job)
        if job.model.spec.changes is Changes.PARENT and not job.blind:
            self._settle_children(job, loss, known)
        elif job.whole and not job.blind:
            self._note(job, loss, len(loss.kept) if loss else 0)
            if loss:
                _count_unproved(job.cursor, len(loss.gone - loss.doubted))
        elif known:
            job.step.suspect = known.missing

    def refuse(self, job: Job, held: int) -> bool:
        """Handles a part that could not be read and of which we hold `held` records.

        True where these are to be deleted: the list is refused, and either their deletion is
        confirmed or they were withheld for longer than we may keep them.
        """
        known = self.of(job)
        confirmed = known and known.confirmed_at and held <= known.missing
        if known and job.cursor.refused_at and (confirmed or self.overdue(known)):
            self._close(job.key)
            return True
        if job.refusal and held:
            self._note(job, Loss(job, set(), 0, job.refusal, permission=job.permission), held)
        elif known:
            job.step.suspect = known.missing
        return False

    def overdue(self, absence: Absence) -> bool:
        return absence.withheld and absence.since + kept_for(self.run.company_id) < clock.now()

    def settle_projects(self, listed: set[int], held: set[int]) -> set[int]:
        """Decides which projects that are no longer listed keep their records.

        Procore does not say whether they are deleted or merely no longer permitted.
        """
        company_id = self.run.company_id
        known = {key[1]: each for key, each in self.open.items() if key[0] == PROJECTS}
        for project_id in known.keys() - (held - listed):
            self._close((PROJECTS, project_id))
        over = {p for p, each in known.items() if each.confirmed_at or self.overdue(each)}
        stay = held - listed - over
        for project_id in over & (held - listed):
            self._close((PROJECTS, project_id))
        for project_id, number in _rows_of(company_id, stay - known.keys()).items():
            self._withhold(project_id, number)
        return stay

    def withdraw(self, project_id: int) -> None:
        """A project that has just returned 404 and is no longer listed."""
        with tenant(self.run.company_id):
            self._withhold(project_id, _rows_of(self.run.company_id, {project_id})[project_id])

    def _withhold(self, project_id: int, number: int) -> None:
        now = clock.now()
        self.open[PROJECTS, project_id], _ = Absence.objects.get_or_create(
            company_id=self.run.company_id, resource=PROJECTS, project_id=project_id,
            defaults={
                "reason": Reason.NOT_PERMITTED, "missing": number, "since": now, "retry_at": now,
            },
        )  # fmt: skip

    def _doubt(self, loss: Loss, shown: Shown, unwritten: Mapping[int, list[Decoded]]) -> None:
        job, known = loss.job, self.of(loss.job)
        if job.model.spec.changes is not Changes.PARENT:
            earlier = _earlier(job.cursor)
            loss.reason = judge(shown=loss.shown, missing=len(loss.missing), earlier=earlier)
            if known and loss.missing:
                # A list in doubt that is coming back shows only a part of its records first.
                loss.reason = loss.reason or Reason.SHRUNK
            if loss.reason and not _replaced(loss):
                step = job.step.id
                loss.doubted = loss.missing - _superseded(loss, shown[step], unwritten[step])
            elif job.model.spec.nested:
                _doubt_emptied(loss, shown[job.step.id], unwritten[job.step.id])
        if known:
            loss.permission = Permission(known.permission)
            believed = known.confirmed_at and len(loss.doubted) <= known.missing
            if believed or self.overdue(known):
                loss.proved = set(loss.doubted)

    def _due(self, job: Job) -> bool:
        known = self.of(job)
        return known is None or self.run.mode == Mode.FULL or known.retry_at <= clock.now()

    def _settle_children(self, job: Job, loss: Loss | None, known: Absence | None) -> None:
        read = {key for ids in job.parents.values() for key in ids}
        before = {int(key): count for key, count in (known.parents if known else {}).items()}
        unread = before.keys() - read
        parents = {key: before[key] for key in unread & _with_lines(job, unread)}
        if loss:
            left = {key: len(ids & loss.kept) for key, ids in loss.parents.items()}
            parents |= {key: count for key, count in left.items() if count}
        self._note(job, loss, sum(parents.values()), parents)

    def _note(
        self, job: Job, loss: Loss | None, missing: int, parents: dict[int, int] | None = None
    ) -> None:
        key, now = job.key, clock.now()
        job.step.suspect = missing
        if not missing:
            self._close(key)
            return
        known = self.open.get(key)
        absence = known or Absence(
            company_id=self.run.company_id, resource=key[0], project_id=key[1],
            reason=Reason.SHRUNK, since=now, retry_at=now + RETRIES[0],
        )  # fmt: skip
        if loss and loss.reason:
            absence.reason, absence.permission = loss.reason, loss.permission
        if loss and loss.asked:
            absence.retry_at = _next_search(loss, absence.tries)
            absence.tries += 1
            if loss.barred_until:
                make_read_due(
                    company_id=absence.company_id, resource=key[0], project_id=key[1],
                    at=absence.retry_at,
                )  # fmt: skip
        if absence.confirmed_at and missing > absence.missing:
            absence.confirmed_at, absence.confirmed_by = None, ""  # fewer than are missing now
        absence.missing = missing
        absence.parents = {str(key): count for key, count in (parents or {}).items()}
        absence.save()
        self.open[key] = absence

    def _close(self, key: Key) -> None:
        if self.open.pop(key, None):
            Absence.objects.filter(
                company_id=self.run.company_id, resource=key[0], project_id=key[1]
            ).delete()


def kept_for(company_id: int) -> timedelta:
    """How long we keep records that Procore withholds."""
    grace = Company.objects.filter(id=company_id).values_list("grace_days", flat=True).first()
    return max(timedelta(days=grace or 0), KEPT_AT_LEAST)


def _lists(jobs: list[Job], shown: Shown) -> list[Loss]:
    """For lists that were read completely."""
    whole = {job.step.project_id: job for job in jobs if job.whole}
    if not whole:
        return []
    model, company_id = jobs[0].model, jobs[0].step.company_id
    rows = model._base_manager.filter(company_id=company_id)
    if model.spec.scope is Scope.PROJECT:
        rows = rows.filter(project_id__among=set(whole))
    present = {key for job in whole.values() for key in shown[job.step.id]}
    missing: dict[int, set[int]] = defaultdict(set)
    absent = rows.exclude(remote_id__among=present)
    for place, key in absent.values_list("project_id", "remote_id"):
        missing[place or 0].add(key)
    return [Loss(whole[at], ids, len(shown[whole[at].step.id])) for at, ids in missing.items()]


def _children(jobs: list[Job], shown: Shown) -> list[Loss]:
    """For lists that belong to a parent each: every list is judged separately."""
    model = jobs[0].model
    found = []
    for job in jobs:
        present = set(shown[job.step.id])
        loss = Loss(job, set(), len(present))
        for parent in {source.parent for source in model.spec.sources if source.parent}:
            ids = job.parents.get(parent, ())
            held: dict[int, set[int]] = defaultdict(set)
            rows = model._base_manager.filter(company_id=job.step.company_id)
            rows = rows.filter(**{f"{parent.column}__among": set(ids)})
            for key, line in rows.values_list(parent.column, "remote_id"):
                held[key].add(line)
            for key, lines in held.items():
                lost = lines - present
                loss.missing |= lost
                reason = judge(shown=len(lines) - len(lost), missing=len(lost))
                if reason:
                    loss.reason = reason
                    loss.parents[key] = lost
                    loss.doubted |= lost
        if loss.missing:
            found.append(loss)
    return found


def _next_search(loss: Loss, tries: int) -> datetime:
    """When to search for a proof again, after so many earlier searches."""
    waits = AFTER_LIMIT if loss.barred_until else RETRIES
    after = clock.now() + waits[min(tries, len(waits) - 1)]
    return max(after, loss.barred_until) if loss.barred_until else after


def _with_lines(job: Job, parents: Collection[int]) -> set[int]:
    """Those that still have lines here: a deleted parent has none left."""
    found: set[int] = set()
    rows = job.model._base_manager.filter(company_id=job.step.company_id)
    for source in job.model.spec.sources:
        if source.parent and parents:
            column = source.parent.column
            here = rows.filter(**{f"{column}__among": set(parents)})
            found.update(here.values_list(column, flat=True))
    return found


def _superseded(loss: Loss, shown: Collection[int], unwritten: list[Decoded]) -> set[int]:
    """Derived rows replaced by another row of the list: a code that now has a budget."""
    model, company_id = loss.job.model, loss.job.step.company_id
    [source] = model.spec.sources if len(model.spec.sources) == 1 else [None]
    if source is None or not source.derived:
        return set()
    rows = model._base_manager.filter(company_id=company_id)
    column = source.derived_from
    taken = _shown_values(loss, column, shown, unwritten)
    old = rows.filter(remote_id__among=loss.missing).exclude(**{source.derived: ""})
    return set(old.filter(**{f"{column}__in": taken - {None}}).values_list("remote_id", flat=True))


def _doubt_emptied(loss: Loss, shown: Collection[int], unwritten: list[Decoded]) -> None:
    """A nested list is also in doubt when it had rows and now shows none."""
    model, company_id = loss.job.model, loss.job.step.company_id
    rows = model._base_manager.filter(company_id=company_id)
    filled = _shown_values(loss, HOLDER, shown, unwritten)
    lost = rows.filter(remote_id__among=loss.missing).values_list(HOLDER, "remote_id")
    for holder, key in lost:
        if holder and holder not in filled:
            loss.parents.setdefault(holder, set()).add(key)
            loss.doubted.add(key)
    if loss.doubted:
        loss.reason = Reason.EMPTY


def _shown_values(
    loss: Loss, column: str, shown: Collection[int], unwritten: list[Decoded]
) -> set[object]:
    """The values of a column in the rows that the list shows, written or not."""
    model = loss.job.model
    at = [field.name for field, _ in kept_fields(model)].index(column)
    rows = model._base_manager.filter(company_id=loss.job.step.company_id)
    here = rows.filter(remote_id__among=set(shown)).values_list(column, flat=True)
    return {record.values[at] for record in unwritten} | set(here)


def _replaced(loss: Loss) -> bool:
    """The list was replaced by another one, because another view was chosen."""
    before, now = loss.job.cursor.via_id, loss.job.reader.via_id
    return bool(loss.shown and before and now and before != now)


def _earlier(cursor: SyncCursor) -> int:
    since: datetime | None = cursor.unproved_since
    return cursor.unproved if since and since + ADD_UP > clock.now() else 0


def _count_unproved(cursor: SyncCursor, number: int) -> None:
    if number:
        earlier = _earlier(cursor)
        cursor.unproved = earlier + number
        cursor.unproved_since = cursor.unproved_since if earlier else clock.now()


def _rows_of(company_id: int, project_ids: set[int]) -> dict[int, int]:
    """How many records of all resources belong to each of these projects."""
    found = dict.fromkeys(project_ids, 0)
    if not project_ids:
        return found
    for model in RESOURCES.values():
        if model.spec.scope is Scope.PROJECT:
            rows = model._base_manager.filter(company_id=company_id)
            rows = rows.filter(project_id__among=project_ids)
            counts = rows.order_by().values_list("project_id").annotate(number=Count("remote_id"))
            for project_id, number in counts:
                found[project_id] += number
    return found
