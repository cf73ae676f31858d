"""Walks the specs of all resources for one company; every batch is committed with its counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import (
    Forbidden,
    NotConnected,
    NotFoundOrHidden,
    ProcoreError,
    RateLimited,
    ServerTrouble,
)
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import FieldUnreadable, SourceRecord
from integrations.procore.resources.spec import Changes, Scope
from integrations.procore.sync.cursor import advance, window
from integrations.procore.sync.errors import Paused
from integrations.procore.sync.models import SyncCursor, SyncRun, SyncStep
from integrations.procore.sync.reading import Batch, read
from integrations.procore.sync.runs import COUNTS, LEASE, finish, keep_lease, release
from integrations.procore.sync.writer import delete_absent, delete_rows, write_batch
from partner_app.connections.access import app_client
from partner_app.connections.errors import ReconnectNeeded
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import note_gone, note_reconnect_needed

Wait = Callable[[datetime], None]
PATIENCE = timedelta(seconds=30)  # before asking again where Procore gave no time


@dataclass(frozen=True)
class Part:
    """One resource of one project, or of the company (project_id None)."""

    model: type[SourceRecord]
    project_id: int | None

    @property
    def key(self) -> dict[str, Any]:
        return {"resource": self.model.spec.name, "project_id": self.project_id or 0}


def run_to_end(run: SyncRun, *, wait: Wait) -> SyncRun:
    """All parts that are not done yet. `wait` is called where Procore asks for time.

    Raises Paused when `wait` does, ReconnectNeeded, NotConnected, LeaseLost.
    """
    company_id = run.company_id
    try:
        client = app_client(company_id)
        hidden: set[int] = set()
        for part in _parts(run):
            if part.project_id in hidden:
                _skip(run, part)
            elif not _run_part(run, client, part, wait) and part.project_id:
                hidden.add(part.project_id)
    except ReconnectNeeded:
        note_reconnect_needed(company_id=company_id)
        finish(run, failed=True)
        raise
    except NotConnected:
        note_gone(company_id=company_id)
        finish(run, failed=True)
        raise
    return finish(run)


def _parts(run: SyncRun) -> Iterator[Part]:
    """In dependency order; the projects are asked of our own copy once it is up to date."""
    for name, model in RESOURCES.items():
        if run.only and name not in run.only:
            continue
        if model.spec.scope is Scope.COMPANY:
            yield Part(model, None)
            continue
        with tenant(run.company_id):
            rows = RESOURCES["projects"]._base_manager.filter(company_id=run.company_id)
            project_ids = list(rows.order_by("remote_id").values_list("remote_id", flat=True))
        for project_id in project_ids:
            yield Part(model, project_id)


def _run_part(run: SyncRun, client: ProcoreClient, part: Part, wait: Wait) -> bool:
    """False when Procore hides the project, so that nothing else of it is asked."""
    step, _ = SyncStep.objects.get_or_create(run=run, company_id=run.company_id, **part.key)
    if step.done:
        return True
    cursor, _ = SyncCursor.objects.get_or_create(company_id=run.company_id, **part.key)
    if cursor.refused_at and run.mode != "full":
        _close(run, step)
        return True
    while True:
        before = client.calls
        try:
            _read_and_write(run, client, part, step, cursor)
        except RateLimited as error:
            _wait(run, error.until, wait)
        except ServerTrouble as error:
            if error.until is None:
                _close(run, step, error, client.calls - before)
                return True
            _wait(run, error.until, wait)
        except (Forbidden, NotFoundOrHidden) as error:
            SyncCursor.objects.filter(id=cursor.id).update(refused_at=clock.now())
            _close(run, step, error, client.calls - before)
            return not isinstance(error, NotFoundOrHidden)
        except NotConnected:
            raise
        except ProcoreError as error:
            _close(run, step, error, client.calls - before)
            return True
        except FieldUnreadable as error:
            log.error("resource.unreadable", resource=part.model.spec.name, field=error.field)
            step.error = f"A field came in an unknown form: {error.field}."
            step.error_remedy = "We have been told; the records read before are unchanged."
            _close(run, step, None, client.calls - before)
            return True
        else:
            return True


def _read_and_write(
    run: SyncRun, client: ProcoreClient, part: Part, step: SyncStep, cursor: SyncCursor
) -> None:
    model, company_id = part.model, run.company_id
    now = clock.now()
    span = None
    incremental = run.mode != "full" and model.spec.changes is Changes.UPDATED_AT
    if incremental and cursor.updated_to:
        span = window(cursor.updated_to, now)
    before, seen, newest = client.calls, set[int](), cursor.updated_to
    for name in COUNTS:
        setattr(step, name, 0)
    batches = read(client, model, company_id=company_id, project_id=part.project_id, window=span)
    for batch in batches:
        seen.update(record.remote_id for record in batch.records)
        for record in batch.records:
            newest = advance(newest, record.updated_at)
        with tenant(company_id):
            keep_lease(run)
            _write(part, company_id, batch, step)
            step.requests = client.calls - before
            step.save()
    with tenant(company_id):
        keep_lease(run)
        if span is None:
            step.deleted += delete_absent(
                model, company_id=company_id, project_id=part.project_id, present=seen
            )
            if model.spec.name == "projects":
                _forget_projects(company_id, seen)
            cursor.full_at = now
        cursor.updated_to, cursor.fresh_at, cursor.refused_at = newest, now, None
        cursor.save()
        step.requests = client.calls - before
        step.done = True
        step.save()


def _write(part: Part, company_id: int, batch: Batch, step: SyncStep) -> None:
    written = write_batch(
        part.model, company_id=company_id, project_id=part.project_id, records=batch.records
    )
    step.fetched += len(batch.records) + len(batch.deleted)
    step.created += written.created
    step.updated += written.updated
    step.unchanged += written.unchanged
    step.deleted += delete_rows(part.model, company_id=company_id, remote_ids=batch.deleted)


def _forget_projects(company_id: int, present: set[int]) -> None:
    """A project that is deleted, inactive or no longer permitted takes its records with it."""
    for model in RESOURCES.values():
        if model.spec.scope is Scope.PROJECT:
            rows = model._base_manager.filter(company_id=company_id).exclude(project_id__in=present)
            rows._raw_delete(rows.db)
    SyncCursor.objects.filter(company_id=company_id).exclude(project_id__in={0, *present}).delete()


def _wait(run: SyncRun, until: datetime, wait: Wait) -> None:
    release(run, until=max(until, clock.now()) + LEASE)
    try:
        wait(until)
    except Paused:
        release(run, until=clock.now())
        raise


def _skip(run: SyncRun, part: Part) -> None:
    step, _ = SyncStep.objects.get_or_create(run=run, company_id=run.company_id, **part.key)
    _close(run, step)


def _close(
    run: SyncRun, step: SyncStep, error: ProcoreError | None = None, requests: int = 0
) -> None:
    if error:
        step.error, step.error_remedy = error.message, error.advice
        log.info("resource.failed", resource=step.resource, code=error.code)
    with transaction.atomic():
        keep_lease(run)
        step.done = True
        step.requests = requests
        step.save()
