"""Fetched data that is not written yet: records, steps and cursors are committed together."""

import time
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from integrations.procore.resources.decoding import Decoded
from integrations.procore.resources.projects import Project
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import SourceRecord
from integrations.procore.resources.spec import Changes, Scope
from integrations.procore.sync.absence import PROJECTS, Absences
from integrations.procore.sync.cursor import advance
from integrations.procore.sync.derived import MARKING, apart, is_open
from integrations.procore.sync.models import SyncCursor, SyncRun, SyncStep
from integrations.procore.sync.parts import Job
from integrations.procore.sync.proof import Prover
from integrations.procore.sync.quarantine import (
    ReadRecords,
    forget_gone,
    not_in_mirror,
    note_shown,
    places_in_quarantine,
    records_of,
)
from integrations.procore.sync.reading import Piece
from integrations.procore.sync.runs import keep_lease
from integrations.procore.sync.signals import records_changed
from integrations.procore.sync.use import note_changed
from integrations.procore.sync.writer import (
    Place,
    delete_gone,
    delete_orphans,
    delete_places,
    delete_rows,
    write_records,
)
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.core.bulk import update_rows
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant

ROWS = 8000  # records written in one batch: a statement costs the same for few and for many
SECONDS = 1  # that a page may wait to be written together with others
STEP_FIELDS = (
    "done", "error", "error_code", "error_remedy", "fetched", "created", "updated", "deleted",
    "unchanged", "unreadable", "suspect", "requests", "progress",
)  # fmt: skip
PAUSE_FIELDS = ("progress", "requests")
CURSOR_FIELDS = (
    "updated_to", "full_at", "fresh_at", "refused_at", "failed_at", "failures", "trouble", "via_id",
    "via_fallback", "unproved", "unproved_since",
)  # fmt: skip


class WriteBuffer:
    def __init__(self, run: SyncRun, prover: Prover) -> None:
        self.run, self.prover = run, prover
        self.absences = Absences(run)
        self.pieces: list[tuple[Job, Piece]] = []
        self.ended: list[Job] = []
        self.given_up: list[Job] = []
        self.changed: set[int] = set()  # projects, 0 for the company
        self.doubtful = places_in_quarantine(run.company_id)
        self.newest: dict[int, datetime] = {}  # by project, the newest Procore stamp of a record
        self.rows, self.since = 0, time.monotonic()

    @property
    def any(self) -> bool:
        return bool(self.pieces or self.ended or self.given_up)

    @property
    def ripe(self) -> bool:
        return self.rows >= ROWS or time.monotonic() - self.since > SECONDS

    def add(self, job: Job, piece: Piece) -> None:
        self.pieces.append((job, piece))
        self.rows += len(piece.records)

    def end(self, job: Job) -> None:
        self.ended.append(job)

    def give_up(self, job: Job) -> None:
        """Keeps what was read before a failure; the cursor does not move."""
        self.given_up.append(job)

    def pause(self, jobs: Collection[Job]) -> None:
        """How far each of these has come, once the last of what arrived is written."""
        with tenant(self.run.company_id):
            keep_lease(self.run)
            for job in jobs:
                job.pause()
            update_rows(SyncStep, [job.step for job in jobs], PAUSE_FIELDS)

    def write(self) -> list[Job]:
        """One transaction. Returns jobs whose number of records at Procore differs from ours."""
        pieces, ended, given_up = self.pieces, self.ended, self.given_up
        self.pieces, self.ended, self.given_up = [], [], []
        self.rows, self.since = 0, time.monotonic()
        if not (pieces or ended or given_up):
            return []
        self._doubt(pieces, ended)
        with tenant(self.run.company_id):
            keep_lease(self.run)
            self._records(pieces)
            self._faults(pieces)
            self._absent(ended)
            again = self._miscounted(ended)
            for job in ended:
                self._conclude(job, done=job not in again)
            for job in given_up:
                self._give_up(job)
            steps = {job.step.id: job.step for job, _ in pieces}
            steps |= {job.step.id: job.step for job in (*ended, *given_up)}
            update_rows(SyncStep, steps.values(), STEP_FIELDS)
            cursors = {job.cursor.id: job.cursor for job, _ in pieces if _learns_view(job)}
            cursors |= {j.cursor.id: j.cursor for j in (*ended, *given_up) if j not in again}
            update_rows(SyncCursor, cursors.values(), CURSOR_FIELDS)
            note_changed(self.run.company_id, self.newest)
            self.newest = {}
            self._mark()
        return again

    def _records(self, pieces: list[tuple[Job, Piece]]) -> None:
        rows: dict[type[SourceRecord], dict[Place, list[Decoded]]]
        rows = defaultdict(lambda: defaultdict(list))
        gone: dict[type[SourceRecord], dict[Place, list[int]]]
        gone = defaultdict(lambda: defaultdict(list))
        steps = {(job.model, job.project_id): job.step for job, _ in pieces}
        for job, piece in pieces:
            rows[job.model][job.project_id].extend(piece.records)
            gone[job.model][job.project_id].extend(piece.deleted)
            job.note(piece)
            if job.newest and job.project_id:
                before = self.newest.get(job.project_id, job.newest)
                self.newest[job.project_id] = max(before, job.newest)
        for model, by_place in rows.items():
            found = write_records(model, company_id=self.run.company_id, records=by_place)
            for place, written in found.items():
                step = steps[model, place]
                step.fetched += written.fetched
                step.created += written.created
                step.updated += written.updated
                step.unchanged += written.unchanged
                if written.created or written.updated:
                    self.changed.add(place or 0)
            deleted = delete_rows(model, company_id=self.run.company_id, remote_ids=gone[model])
            for place, count in deleted.items():
                steps[model, place].deleted += count
                self.changed.add(place or 0)

    def _faults(self, pieces: list[tuple[Job, Piece]]) -> None:
        for job, piece in pieces:
            job.step.unreadable += records_of(piece.faults)
            if piece.faults or job.key in self.doubtful:
                shown = ReadRecords(job.key, job.began, list(piece.ids), piece.faults)
                note_shown(self.run.company_id, shown)
                self.doubtful.add(job.key)

    def _doubt(self, pieces: list[tuple[Job, Piece]], ended: list[Job]) -> None:
        """Before anything is written: weighs what is missing and requests proofs."""
        shown = {job.step.id: set(job.seen) for job in ended}
        unwritten: dict[int, list[Decoded]] = defaultdict(list)
        for job, piece in pieces:
            job.blind = job.blind or bool(piece.nameless)
            if job.step.id in shown:
                shown[job.step.id].update(piece.ids)
                unwritten[job.step.id].extend(piece.records)
        if not ended:
            return
        with tenant(self.run.company_id):
            losses = self.absences.weigh(ended, shown, unwritten)
        self.prover.prove(losses)

    def _absent(self, ended: list[Job]) -> None:
        """What a full reading did not show is deleted, unless in doubt; so are its children."""
        by_model: dict[type[SourceRecord], list[Job]] = defaultdict(list)
        for job in ended:
            by_model[job.model].append(job)
        here = {"company_id": self.run.company_id}
        for model, jobs in by_model.items():
            if model.spec.name == PROJECTS:
                self._projects(jobs[0])
                continue
            places = {job.project_id: self.absences.gone(job) for job in jobs}
            deleted = defaultdict(int, delete_gone(model, **here, gone=places))
            if model.spec.changes is Changes.PARENT:
                for place, count in self._orphans(model, places).items():
                    deleted[place] += count
            for job in jobs:
                job.step.deleted += deleted.get(job.project_id, 0)
                self.absences.settle(job)
            self.changed.update(place or 0 for place in deleted)

    def _refused(self, job: Job) -> None:
        """A list that may not be read keeps its records, as long as we may keep them."""
        asked = job.refusal or self.absences.of(job)
        rows = job.model._base_manager.filter(company_id=self.run.company_id)
        held = rows.filter(project_id=job.project_id).count() if asked else 0
        if self.absences.refuse(job, held):
            here, place = {"company_id": self.run.company_id}, job.project_id
            job.step.deleted += delete_places(job.model, **here, places=[place]).get(place, 0)
            self.changed.add(place or 0)

    def _projects(self, job: Job) -> None:
        """A deleted project takes its records with it; one that is only missing does not."""
        if job.blind:
            return
        company_id = self.run.company_id
        rows = Project.objects.filter(company_id=company_id)
        held = set(rows.values_list("remote_id", flat=True))
        stay = self.absences.settle_projects(job.seen, held)
        job.step.suspect = len(stay)
        gone = held - job.seen - stay
        job.step.deleted += delete_gone(Project, company_id=company_id, gone={None: gone}).get(
            None, 0
        )
        for model in RESOURCES.values():
            if gone and model.spec.scope is Scope.PROJECT:
                delete_places(model, company_id=company_id, places=gone)
        for project_id in sorted(gone):
            record(
                Event.PROJECT_ERASED,
                actor="system",
                company_id=company_id,
                subject=f"project:{project_id}",
            )
        if gone:
            cursors = SyncCursor.objects.filter(company_id=company_id)
            cursors.filter(project_id__among=gone).delete()
            self.changed.add(0)

    def mark_rest(self) -> None:
        """Marks what could not be marked with its records, in this run or an earlier one."""
        company_id = self.run.company_id
        with apart(MARKING, company_id), tenant(company_id):
            if is_open(MARKING, company_id):
                rows = RESOURCES["projects"]._base_manager.filter(company_id=company_id)
                self.changed |= {0, *rows.values_list("remote_id", flat=True)}
            if self.changed:
                self._send()

    def _mark(self) -> None:
        """In a savepoint: where receivers fail, the records stay written and are marked later."""
        if not self.changed:
            return
        try:
            with transaction.atomic():
                self._send()
        except Exception:  # noqa: BLE001  # no fault of a receiver may undo the mirror
            log.exception("changes.not_marked", company_id=self.run.company_id)

    def _send(self) -> None:
        records_changed.send(
            SyncRun, company_id=self.run.company_id, project_ids=sorted(self.changed)
        )
        self.changed = set()

    def _orphans(self, model: type[SourceRecord], places: Collection[Place]) -> dict[Place, int]:
        """Children of deleted parents, each with its own proof."""
        deleted: dict[Place, int] = defaultdict(int)
        for parent in {source.parent for source in model.spec.sources if source.parent}:
            above = RESOURCES[parent.resource]
            found = delete_orphans(
                model,
                company_id=self.run.company_id,
                column=parent.column,
                parent=above,
                places=places,
            )
            for place, count in found.items():
                deleted[place] += count
        return deleted

    def _miscounted(self, ended: list[Job]) -> list[Job]:
        return [job for job in ended if job.total is not None and self._count(job) != job.total]

    def _count(self, job: Job) -> int:
        """As Procore counts: with the records that were set aside, without those in doubt."""
        here = {"company_id": self.run.company_id}
        rows = job.model._base_manager.filter(**here, project_id=job.project_id)
        aside = not_in_mirror(self.run.company_id, job.key) if job.key in self.doubtful else 0
        return rows.count() + aside - job.step.suspect

    def _conclude(self, job: Job, *, done: bool) -> None:
        """The cursor moves with the last of its records, and never before."""
        job.step.requests += job.reader.requests
        job.step.done, job.step.progress = done, None
        if not done:
            return
        if job.cursor.fresh_at is None or job.cursor.refused_at:
            self.changed.add(job.project_id or 0)  # an empty list is a change where none was read
        job.cursor.refused_at = None
        listed = job.model.spec.changes is not Changes.PARENT and job.step.resource != PROJECTS
        doubtful = bool(listed and job.step.suspect)
        if not doubtful:
            job.cursor.fresh_at = job.began
            job.cursor.failed_at, job.cursor.failures, job.cursor.trouble = None, 0, ""
        else:
            self._try_later(job)
        job.cursor.updated_to = advance(job.cursor.updated_to, job.newest)
        job.cursor.via_id = job.reader.via_id
        if job.reader.via_fallback is not None:
            job.cursor.via_fallback = job.reader.via_fallback
        if job.whole and not doubtful:
            job.cursor.full_at = job.began
            if job.key in self.doubtful:
                forget_gone(self.run.company_id, job.key, job.began)

    def _give_up(self, job: Job) -> None:
        """The cursor does not move; a part that failed is tried again after ever longer delays."""
        self._refused(job)
        job.step.done, job.step.progress = True, None
        job.step.requests += job.reader.requests
        if job.step.error_code:
            job.cursor.trouble = job.step.error_code
            self._try_later(job)
        if job.cursor.refused_at and job.cursor.refused_at >= job.began:
            self.changed.add(job.project_id or 0)  # metrics show what they lack

    @staticmethod
    def _try_later(job: Job) -> None:
        job.cursor.failed_at = clock.now()
        job.cursor.failures += 1


def _learns_view(job: Job) -> bool:
    """The first page shows which view a list is read in, so a later reader need not ask."""
    known = job.reader.via_id
    if known is None or job.cursor.via_id == known:
        return False
    job.cursor.via_id, job.cursor.via_fallback = known, bool(job.reader.via_fallback)
    return True
