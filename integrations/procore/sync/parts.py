"""What a run has to read: one resource of one project at a time, parents before children."""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q

from integrations.procore.api.client import ProcoreClient
from integrations.procore.resources.budget_views import NO_CHOICE
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import SourceRecord
from integrations.procore.resources.spec import Changes, Parent, Scope
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.budget_choice import choice_of, lendable_view
from integrations.procore.sync.cursor import advance, not_ahead, window
from integrations.procore.sync.errors import Withdrawn
from integrations.procore.sync.models import (
    Absence,
    DueRead,
    Mode,
    Permission,
    Reason,
    SyncCursor,
    SyncRun,
    SyncStep,
)
from integrations.procore.sync.order import AT_A_GLANCE, FIGURES, in_order_of_use
from integrations.procore.sync.quarantine import places_to_try_again
from integrations.procore.sync.reading import Lent, Parents, Piece, Position, Reader, Window
from integrations.procore.sync.resuming import ResumePoint, packed, unpacked
from integrations.procore.sync.use import uses_of
from partner_app.core import clock
from partner_app.core.bulk import add_rows
from partner_app.tenancy.context import tenant

COUNTS = (
    "fetched", "created", "updated", "deleted", "unchanged", "unreadable", "suspect", "requests",
)  # fmt: skip
SHORT = 500  # records; one page brings as many without being a burden
Key = tuple[str, int]  # resource, project (0: the company)


@dataclass
class Job:
    """A part in progress: its step in the run, its cursor, and how far it has been read."""

    model: type[SourceRecord]
    step: SyncStep
    cursor: SyncCursor
    reader: Reader
    whole: bool  # reads everything, so what is absent is deleted
    sweep: bool  # afterwards the number of records is compared
    parents: Parents
    began: datetime
    newest: datetime | None = None  # Procore's newest stamp among what was read
    seen: set[int] = field(default_factory=set)
    position: Position = field(default_factory=Position)  # after what is written
    blind: bool = False  # some record had no id, so nothing proves which are gone
    total: int | None = None
    attempts: int = 0
    refusal: Reason | None = None  # how Procore refused the list
    permission: Permission = Permission.UNKNOWN  # and what it said of the tool then
    barren: bool = False  # there is nothing to request: no record that it could belong to
    withdrawn: threading.Event = field(default_factory=threading.Event)
    closed_tools: Collection[
        tuple[int, Tool | None]
    ] = ()  # by project, as Procore says in this run

    @property
    def key(self) -> Key:
        return self.step.resource, self.step.project_id

    @property
    def project_id(self) -> int | None:
        return self.step.project_id or None

    @property
    def closed(self) -> bool:
        return (self.step.project_id, self.model.spec.tool) in self.closed_tools

    def pieces(self) -> Iterator[Piece]:
        """Raises Withdrawn where another part found that Procore hides the project or its tool."""
        if self.withdrawn.is_set() or self.closed:
            raise Withdrawn
        yield from self.reader.pieces()
        if self.sweep and not self.whole:
            self.total = self.reader.total()

    def note(self, piece: Piece) -> None:
        """Records a page that is being written."""
        self.position = piece.then
        self.seen.update(piece.ids)
        self.blind = self.blind or bool(piece.nameless)
        for record in piece.records:
            self.newest = advance(self.newest, not_ahead(record.updated_at, self.began))

    def pause(self) -> None:
        """The next worker continues where this one ends."""
        parents = [list(ids) for ids in self.parents.values()]
        seen = sorted(self.seen)
        here = ResumePoint(
            self.began, self.whole, self.newest, self.position, parents, seen, self.blind
        )
        self.step.progress = packed(here)
        self.step.requests += self.reader.requests


def waves(run: SyncRun, opened: Collection[int]) -> Iterator[list[Key]]:
    """Each wave needs what earlier ones have written: projects first, children after parents.

    Projects that people have open are complete before anything else is read. Then come the cost of
    every project, what home counts, and the rest, in the order in which projects are in use.
    """
    if run.mode == Mode.TARGETED:
        keys = list(run.steps.filter(done=False).values_list("resource", "project_id"))
        first = [key for key in keys if key[1] in opened]
        rest = [key for key in keys if key[1] not in opened]
        for wanted in (first, rest):
            yield [key for key in wanted if not _is_late(key[0])]
            yield [key for key in wanted if _is_late(key[0])]
        return
    names = [name for name in RESOURCES if not run.only or name in run.only]
    company = [name for name in names if RESOURCES[name].spec.scope is Scope.COMPANY]
    inner = [name for name in names if RESOURCES[name].spec.scope is Scope.PROJECT]
    yield [(name, 0) for name in company if name == "projects"]
    projects = in_order_of_use(_projects(run.company_id), uses_of(run.company_id))
    yield from _project_waves([key for key in projects if key in opened], inner)
    yield [(name, 0) for name in company if name != "projects"]
    yield from _project_waves([key for key in projects if key not in opened], inner)


def _project_waves(projects: Sequence[int], names: Sequence[str]) -> Iterator[list[Key]]:
    figures = [name for name in names if name in FIGURES]
    glance = [name for name in names if name in AT_A_GLANCE and not _is_late(name)]
    others = [name for name in names if name not in FIGURES | AT_A_GLANCE and not _is_late(name)]
    yield [
        *((name, key) for name in figures for key in projects),
        *((name, key) for key in projects for name in glance),
        *((name, key) for key in projects for name in others),
    ]
    yield [(name, key) for key in projects for name in names if _is_late(name)]


def jobs_of(run: SyncRun, keys: list[Key], client: ProcoreClient) -> list[Job]:
    """The unfinished jobs of a wave; their steps exist from now on, so that progress shows."""
    done = set(run.steps.filter(done=True).values_list("resource", "project_id"))
    wanted = [key for key in keys if key not in done]
    _make_rows(run, wanted)
    unfinished = run.steps.filter(done=False, progress__isnull=True)
    unfinished.update(**dict.fromkeys(COUNTS, 0))  # of the last attempt only
    steps = {(s.resource, s.project_id): s for s in run.steps.filter(done=False)}
    cursors = {
        (c.resource, c.project_id): c for c in SyncCursor.objects.filter(company_id=run.company_id)
    }
    withdrawn: dict[int, threading.Event] = defaultdict(threading.Event)  # one per project
    again, doubts = places_to_try_again(run.company_id), open_absences(run.company_id)
    jobs = []
    with tenant(run.company_id):
        barren = _barren(run.company_id, wanted)
        sizes = _sizes(run.company_id, wanted) if settings.PROCORE.plans_calls else {}
        by_view = any(_has_view(RESOURCES[name]) for name, _ in wanted)
        lent = Lent(lendable_view(run.company_id)) if by_view else None
        for key in wanted:
            whole, doubt = run.mode == Mode.FULL or key in again, doubts.get(key)
            whole = whole or _cheaper_whole(steps[key], sizes.get(key))
            step, cursor = steps[key], cursors[key]
            job = job_of(run, step, cursor, client, whole=whole, doubt=doubt, lent=lent)
            job.withdrawn = withdrawn[job.step.project_id]
            job.barren = key in barren
            jobs.append(job)
    return jobs


def jobs_from_events(run: SyncRun, client: ProcoreClient) -> list[Job]:
    """Finished parts of this run that webhook events have named since; they are to be read again.

    Children wait for the next run: their parents have to be written first.
    """
    done = SyncStep.objects.filter(run=run, done=True)
    with tenant(run.company_id):
        told = DueRead.objects.filter(company_id=run.company_id)
        keys = {key for key in told.values_list("resource", "project_id") if not _is_late(key[0])}
        doubts = open_absences(run.company_id)
        # A list in doubt is read again only when a proof may be searched for.
        keys -= {key for key, doubt in doubts.items() if doubt.retry_at > clock.now()}
        steps = [s for s in done if (s.resource, s.project_id) in keys]
        jobs = []
        for step in steps:
            part = {"resource": step.resource, "project_id": step.project_id}
            cursor = SyncCursor.objects.get(company_id=run.company_id, **part)
            found = told.filter(**part)
            step.sweep = found.filter(sweep=True).exists()
            found.delete()
            step.done = False
            step.save(update_fields=["done", "sweep"])
            doubt = doubts.get((step.resource, step.project_id))
            jobs.append(job_of(run, step, cursor, client, whole=False, doubt=doubt))
    return jobs


def job_of(
    run: SyncRun,
    step: SyncStep,
    cursor: SyncCursor,
    client: ProcoreClient,
    *,
    whole: bool,
    doubt: Absence | None = None,
    lent: Lent | None = None,
) -> Job:
    """Inside tenant(). `whole` also where nothing was read before, or no filter finds changes.

    A list in `doubt` is counted each time, and read completely when a proof is to be searched for.

    Where the run had paused in the middle of this part, it continues there.
    """
    model, now = RESOURCES[step.resource], clock.now()
    changes, before = model.spec.changes, unpacked(step.progress)
    again = bool(doubt and (doubt.confirmed_at or doubt.retry_at <= now))
    if changes is not Changes.PARENT:
        whole = whole or again
    span: Window | None = None
    parents: dict[Parent, Sequence[int]] = {}
    whole = whole or step.whole
    if before:
        whole = before.whole
    if changes is Changes.CONTENT or cursor.fresh_at is None:
        whole = True
    elif changes is Changes.UPDATED_AT and not whole:
        whole = cursor.updated_to is None
        span = window(cursor.updated_to, now) if cursor.updated_to else None
    if changes is Changes.PARENT:
        kinds = dict.fromkeys(source.parent for source in model.spec.sources if source.parent)
        since = None if whole else cursor.fresh_at
        doubted = {int(key) for key in doubt.parents} if doubt and again else set()
        for number, kind in enumerate(kinds):
            parents[kind] = (
                before.parents[number]
                if before
                else _parents(kind, run.company_id, step.project_id, since, doubted)
            )
    begun = before or ResumePoint(now, whole)
    reader = Reader(
        client,
        model,
        company_id=run.company_id,
        project_id=step.project_id or None,
        window=span,
        parents=parents,
        via_id=_view(run, step, cursor, model),
        choice=choice_of(run.company_id) if _has_view(model) else NO_CHOICE,
        position=begun.position,
        lent=None if cursor.via_fallback else lent,
    )
    counted = model.spec.hides_deleted or (doubt and changes is Changes.UPDATED_AT)
    sweep = bool(counted) and (run.mode != Mode.TARGETED or step.sweep)
    return Job(
        model,
        step,
        cursor,
        reader,
        whole=whole,
        sweep=sweep,
        parents=parents,
        began=begun.began,
        newest=begun.newest,
        seen=set(begun.seen),
        blind=begun.blind,
        position=begun.position,
    )


def _view(
    run: SyncRun, step: SyncStep, cursor: SyncCursor, model: type[SourceRecord]
) -> int | None:
    """The known view, unless a full sync may find the one that is wanted."""
    again = (run.mode == Mode.FULL or step.whole) and cursor.via_fallback
    return None if again or not _has_view(model) else cursor.via_id


def _has_view(model: type[SourceRecord]) -> bool:
    return any(source.via for source in model.spec.sources)


def open_absences(company_id: int) -> dict[Key, Absence]:
    rows = Absence.objects.filter(company_id=company_id)
    return {(row.resource, row.project_id): row for row in rows}


def withheld_projects(company_id: int) -> set[int]:
    """Projects that are no longer listed for the app: nothing is requested of them."""
    rows = Absence.objects.filter(company_id=company_id, resource="projects")
    return set(rows.values_list("project_id", flat=True))


def _is_late(name: str) -> bool:
    """Whether another list must be written before it is known what this one has to request."""
    spec = RESOURCES[name].spec
    return spec.changes is Changes.PARENT or bool(spec.hangs_on)


def _sizes(company_id: int, keys: Iterable[Key]) -> dict[Key, int]:
    """Inside tenant(). How many records of these lists we hold."""
    found: dict[Key, int] = {}
    for name in {name for name, _ in keys}:
        rows = RESOURCES[name]._base_manager.filter(company_id=company_id)
        counts = rows.values_list("project_id").annotate(number=Count("remote_id")).order_by()
        found |= {(name, project or 0): number for project, number in counts}
    return found


def _cheaper_whole(step: SyncStep, size: int | None) -> bool:
    """Changes and count together take two calls; a short list is read completely in one."""
    hides = RESOURCES[step.resource].spec.hides_deleted
    return step.sweep and hides and (size or 0) <= SHORT


def _barren(company_id: int, keys: Iterable[Key]) -> set[Key]:
    """Inside tenant(). Lists without a record here, of projects without a possible parent."""
    found: set[Key] = set()
    by_name: dict[str, set[int]] = defaultdict(set)
    for name, project in keys:
        if RESOURCES[name].spec.hangs_on:
            by_name[name].add(project)
    for name, projects in by_name.items():
        spec = RESOURCES[name].spec
        filled = {
            key
            for model in (RESOURCES[name], RESOURCES[spec.hangs_on])
            for key in model._base_manager.filter(company_id=company_id, project_id__in=projects)
            .values_list("project_id", flat=True)
            .distinct()
        }
        unread = SyncCursor.objects.filter(
            company_id=company_id, resource=spec.hangs_on, project_id__in=projects, fresh_at=None
        ).values_list("project_id", flat=True)
        found.update((name, key) for key in projects - filled - set(unread))
    return found


def _projects(company_id: int) -> list[int]:
    """From our mirror, which the first wave has brought up to date."""
    withheld = withheld_projects(company_id)
    with tenant(company_id):
        rows = RESOURCES["projects"]._base_manager.filter(company_id=company_id)
        ids = rows.order_by("remote_id").values_list("remote_id", flat=True)
        return [key for key in ids if key not in withheld]


def _make_rows(run: SyncRun, keys: list[Key]) -> None:
    here = {"company_id": run.company_id}
    parts = [{"resource": resource, "project_id": project} for resource, project in keys]
    add_rows(SyncStep, (SyncStep(run=run, month=run.month, **here, **part) for part in parts))
    add_rows(SyncCursor, (SyncCursor(**here, **part) for part in parts))


def _parents(
    parent: Parent,
    company_id: int,
    project_id: int,
    since: datetime | None,
    doubted: set[int],
) -> list[int]:
    """All of them, or those written since their children were last read and those in doubt."""
    rows = RESOURCES[parent.resource]._base_manager.filter(
        company_id=company_id, project_id=project_id, **dict(parent.where)
    )
    if since:
        rows = rows.filter(Q(synced_at__gte=since) | Q(remote_id__among=doubted))
    return list(rows.order_by("remote_id").values_list("remote_id", flat=True))
