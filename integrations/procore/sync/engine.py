"""Runs all parts of a sync: fetches in parallel, writes in batches, ends each with a message."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import (
    Forbidden,
    NotConnected,
    NotConnectedOnce,
    NotFoundOrHidden,
    ProcoreError,
    RateLimited,
    ServerTrouble,
    Unreadable,
)
from integrations.procore.resources.registry import RESOURCES, label
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.absence import PROJECTS
from integrations.procore.sync.derived import CONCLUSION, apart
from integrations.procore.sync.errors import Paused, Withdrawn
from integrations.procore.sync.fetching import Crew, Fetched
from integrations.procore.sync.incidents import note_doubts, note_incidents, note_view
from integrations.procore.sync.models import Mode, Permission, Reason, SyncCursor, SyncRun
from integrations.procore.sync.order import refused_lately
from integrations.procore.sync.parts import (
    Job,
    job_of,
    jobs_from_events,
    jobs_of,
    open_absences,
    waves,
)
from integrations.procore.sync.proof import Prover
from integrations.procore.sync.runs import finish, heartbeat, release
from integrations.procore.sync.use import open_projects
from integrations.procore.sync.write_buffer import WriteBuffer
from partner_app.connections.access import app_client, in_threads, still_connected
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.leave import close_down_all
from partner_app.connections.purposes import CallPurpose
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import note_gone, note_health, note_reconnect_needed

Wait = Callable[[datetime], None]
ATTEMPTS = 3  # of a part with a temporary fault
LISTEN = timedelta(seconds=1)  # between checks for webhook events that arrived meanwhile
SLICE = timedelta(seconds=30)  # then a company with much to read lets others go first


def run_to_end(run: SyncRun, *, wait: Wait, may_yield: Callable[[], bool] | None = None) -> SyncRun:
    """Reads all unfinished parts. `wait` is called where Procore asks us to wait.

    `may_yield` is asked once a slice whether other work is waiting; the run then pauses. Raises
    Paused when `wait` does, ReconnectNeeded, NotConnected, NotConnectedOnce, LeaseLost.
    """
    company_id = run.company_id
    clients: list[ProcoreClient] = []
    try:
        for purpose in (_purpose(run), CallPurpose.OPENED):
            clients += [in_threads(app_client(company_id, purpose))]
        with heartbeat(run):
            _Walk(run, clients, wait, may_yield).walk()
    except Paused:
        release(run, until=clock.now())  # the next worker continues it
        raise
    except ReconnectNeeded:
        note_reconnect_needed(company_id=company_id)
        finish(run, failed=True)
        raise
    except NotConnected:
        if not _left(company_id):
            release(run, until=clock.now())
            raise NotConnectedOnce from None
        note_gone(company_id=company_id)
        finish(run, failed=True)
        close_down_all()
        raise
    finally:
        for client in clients:
            client.rate.give_back()
    finish(run)
    with apart(CONCLUSION, company_id):
        note_incidents(run)
        note_view(run)
        note_doubts(company_id)
        if not run.only:
            note_health(company_id=company_id, reason=_withheld(company_id))
    return run


def _purpose(run: SyncRun) -> CallPurpose:
    """A walk over everything is a company's first sync or the daily proof of completeness."""
    if run.mode != Mode.FULL:
        return CallPurpose.FRESHNESS
    ended = SyncRun.objects.filter(company_id=run.company_id, mode=Mode.FULL)
    before = ended.filter(finished_at__lt=run.started_at).exists()
    return CallPurpose.PROOF if before else CallPurpose.FIRST_READ


def _left(company_id: int) -> bool:
    """One response may be wrong, and closing a company ends its grants, so it must be confirmed."""
    try:
        return not still_connected(company_id)
    except ProcoreError:
        return False


def _withheld(company_id: int) -> str:
    """What Procore no longer lets us read, in words; empty when nothing is withheld."""
    absences = open_absences(company_id)
    missing = {key[1] for key in absences if key[0] == PROJECTS}
    with tenant(company_id):
        rows = RESOURCES[PROJECTS]._base_manager.filter(company_id=company_id)
        if not set(rows.values_list("remote_id", flat=True)) - missing:
            return "No project is permitted for the app in Procore."
    refusing = SyncCursor.objects.filter(company_id=company_id, trouble=Forbidden.code)
    refused = set(refusing.values_list("resource", flat=True))
    refused |= {key[0] for key, each in absences.items() if each.withheld and key[0] != PROJECTS}
    names = sorted({label(name) for name in refused})
    return f"Procore does not let the app read: {', '.join(names)}." if names else ""


class _Walk:
    """One process's share of a run."""

    def __init__(
        self,
        run: SyncRun,
        clients: Sequence[ProcoreClient],
        wait: Wait,
        may_yield: Callable[[], bool] | None,
    ) -> None:
        self.run, self.wait, self.may_yield = run, wait, may_yield
        self.client, self.for_people = clients  # some calls are reserved for the second
        self.opened = open_projects(run.company_id)
        self.slice_ends = clock.now() + SLICE
        self.listens_at = clock.now() + LISTEN
        self.prover = Prover(self.client, run.company_id)
        self.buffer = WriteBuffer(run, self.prover)
        self.open: dict[int, Job] = {}  # by step
        self.closed_tools: set[tuple[int, Tool]] = set()

    def walk(self) -> None:
        """Raises Paused; the next worker continues where this one ended."""
        try:
            for keys in waves(self.run, self.opened):
                watched = bool(keys) and all(project in self.opened for _, project in keys)
                client = self.for_people if watched else self.client
                self._wave(jobs_of(self.run, keys, client))
        except Paused:
            self.buffer.pause(self.open.values())
            raise
        finally:
            self.buffer.mark_rest()

    def _wave(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        with Crew[Job]() as crew:
            for job in jobs:
                job.closed_tools = self.closed_tools
                if self.run.mode != Mode.FULL and refused_lately(job.cursor.refused_at, job.began):
                    self.buffer.give_up(job)
                elif job.barren:
                    self.buffer.end(job)
                elif self._still_closed(job):
                    self._give_up_closed(job)
                else:
                    self._add(crew, job)
            try:
                # A flush may find that one more reading is needed, even after the last page.
                while crew.open or self.buffer.any:
                    for delivery in crew.deliveries(idle=self._idle(crew)):
                        self._take(crew, delivery)
                        self._flush(crew)
                    self._flush(crew, now=True)
            except Paused:
                for delivery in crew.last_deliveries():
                    if delivery.error is None:  # the next worker meets an error again
                        self._take(crew, delivery)
                self.buffer.write()
                raise

    def _add(self, crew: Crew[Job], job: Job) -> None:
        self.open[job.step.id] = job
        crew.add(job)

    def _end(self, job: Job, *, given_up: bool = False) -> None:
        del self.open[job.step.id]
        (self.buffer.give_up if given_up else self.buffer.end)(job)

    def _idle(self, crew: Crew[Job]) -> Callable[[], None]:
        return lambda: self._flush(crew, now=True)

    def _flush(self, crew: Crew[Job], *, now: bool = False) -> None:
        if not (now or self.buffer.ripe):
            return
        for job in self.buffer.write():
            # There are fewer records than Procore counts: some were deleted there.
            with tenant(self.run.company_id):
                self._add(crew, job_of(self.run, job.step, job.cursor, self.client, whole=True))
        if self.may_yield and clock.now() > self.slice_ends and self.may_yield():
            raise Paused(clock.now())
        if clock.now() >= self.listens_at:
            self.listens_at = clock.now() + LISTEN
            self._listen(crew)

    def _listen(self, crew: Crew[Job]) -> None:
        """In a long walk: checks for projects that people open and for new webhook events."""
        if self.may_yield and open_projects(self.run.company_id) - self.opened:
            raise Paused(clock.now())  # it continues at once, with that project first
        if self.run.mode == Mode.TARGETED or self.run.only:
            return
        for job in jobs_from_events(self.run, self.client):
            self._add(crew, job)

    def _take(self, crew: Crew[Job], delivery: Fetched[Job]) -> None:
        job = delivery.job
        if delivery.piece is not None:
            self.buffer.add(job, delivery.piece)
        elif delivery.error is None:
            self._end(job)
        elif isinstance(delivery.error, Withdrawn):
            if job.closed:
                del self.open[job.step.id]
                self._give_up_closed(job)
            elif job.withdrawn.is_set():
                self._end(job, given_up=True)
            else:
                self._add(crew, job)  # the project is listed after all
        else:
            self._recover(crew, job, delivery.error)

    def _recover(self, crew: Crew[Job], job: Job, error: Exception) -> None:
        """Raises what only the caller, or nobody, can fix."""
        until = getattr(error, "until", None) if isinstance(error, ProcoreError) else None
        if isinstance(error, RateLimited | ServerTrouble) and until:
            self._flush(crew, now=True)
            self.wait(until)
            self._add(crew, job)
        elif isinstance(error, NotFoundOrHidden) and job.cursor.via_id:
            job.cursor.via_id = None  # the view is gone from this project: choose another, once
            job.reader.forget_view()
            self._add(crew, job)
        elif isinstance(error, Forbidden | NotFoundOrHidden):
            job.cursor.refused_at = clock.now()
            self._note_refusal(job, hidden=isinstance(error, NotFoundOrHidden))
            self._fail(job, error)
        elif isinstance(error, NotConnected | ReconnectNeeded):
            raise error
        elif isinstance(error, ProcoreError):
            job.attempts += 1
            # The client has already retried an unreadable response several times.
            asked_enough = job.attempts >= ATTEMPTS or isinstance(error, Unreadable)
            if error.transient and not asked_enough:
                self._add(crew, job)
            else:
                self._fail(job, error)
        else:
            raise error

    def _note_refusal(self, job: Job, *, hidden: bool) -> None:
        """404 may concern the list or the whole project: the list of projects shows which.

        Raises NotConnected, ReconnectNeeded.
        """
        job.refusal = Reason.HIDDEN if hidden else Reason.FORBIDDEN
        job.permission = Permission.UNKNOWN if hidden else Permission.DENIED
        if not job.project_id:
            return
        if not hidden:
            self._tool_of(job)
            return
        job.withdrawn.set()  # no more calls for the project until that is known
        with self.prover.counted(job.step):
            listed = self.prover.lists_project(job.project_id)
        if listed:
            job.withdrawn.clear()
            job.permission = self._tool_of(job)
        elif listed is False:
            self.buffer.absences.withdraw(job.project_id)

    def _tool_of(self, job: Job) -> Permission:
        """One call per project reports all its tools: closed ones are not requested again."""
        project, tool = job.step.project_id, job.model.spec.tool
        with self.prover.counted(job.step):
            said = self.prover.permission(project, tool)
        if said is Permission.DENIED:
            tools = {model.spec.tool for model in RESOURCES.values() if model.spec.tool}
            denied = (t for t in tools if self.prover.permission(project, t) is said)
            self.closed_tools.update((project, each) for each in denied)
        return said

    def _still_closed(self, job: Job) -> bool:
        """Of a list that was refused before: checks its tool first, without requesting the list."""
        if job.project_id and job.cursor.refused_at and not job.closed:
            self._tool_of(job)
        return job.closed

    def _give_up_closed(self, job: Job) -> None:
        """As if the list had been refused, without requesting it."""
        job.cursor.refused_at = clock.now()
        job.refusal, job.permission = Reason.FORBIDDEN, Permission.DENIED
        _describe(job, Forbidden())
        self.buffer.give_up(job)

    def _fail(self, job: Job, error: ProcoreError) -> None:
        _describe(job, error)
        self._end(job, given_up=True)


def _describe(job: Job, error: ProcoreError) -> None:
    job.step.error, job.step.error_remedy = error.message, error.advice
    if isinstance(error, Unreadable) and error.shape:
        job.step.error = f"Procore sent {error.shape} instead of this list."
        job.step.error_remedy = "Records read before are unchanged; the next sync tries again."
    job.step.error_code = error.code
    log.info("resource.failed", resource=job.step.resource, code=error.code)
