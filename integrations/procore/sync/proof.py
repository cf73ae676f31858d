"""Asks Procore whether records that a list no longer shows are deleted: a few calls per list.

Proof is: the recycle bin or `include_deleted` names the record; or its id gives 404 while the tool
demonstrably answers. A record that still exists by its id proves the list wrong.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from django.conf import settings

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import (
    Forbidden,
    NotConnected,
    NotFoundOrHidden,
    ProcoreError,
    RateLimited,
)
from integrations.procore.api.manifest import PATH, Level, Manifest, read_manifest
from integrations.procore.api.values import record_id
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import SourceRecord
from integrations.procore.resources.spec import Source
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.absence import Loss
from integrations.procore.sync.models import Permission, SyncStep
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant

SAMPLE = 5  # records of one list that are requested by id
OF_EACH = 2  # where a record holds each list, and many are in doubt
MOST_HELD = 30  # such lists that are checked for one resource of one project
MOST_IN_BIN = 4000  # deleted records that are read: two pages
MOST_LISTS = 12  # in doubt, checked in one run; the others wait for a later one
LISTED_FOR = 60.0  # seconds for which the list of projects is used

Names = dict[str, str]


@dataclass(frozen=True)
class One:
    """A record that can be requested: by its id, or within the one that holds it, under `rows`."""

    remote_id: int
    path: str
    params: Names
    holder_id: int = 0
    rows: str = ""


class Prover:
    """Proofs for one run; called outside transactions, by one thread."""

    def __init__(self, client: ProcoreClient, company_id: int) -> None:
        self.client, self.company_id = replace(client, calls=0), company_id
        self.manifests: dict[int, Manifest | None] = {}
        self.untold = False  # Procore does not report the service account's rights
        self.lists = 0
        self.projects: set[int] | None = None
        self.projects_at = 0.0

    def prove(self, losses: Sequence[Loss]) -> None:
        """Raises NotConnected, ReconnectNeeded; any other fault leaves the records in doubt."""
        barred_until: datetime | None = None
        for loss in losses:
            if self.lists >= MOST_LISTS:
                return
            self.lists += 1
            loss.asked = True
            try:
                if barred_until is None:
                    with self.counted(loss.job.step):
                        self._prove(loss)
            except RateLimited as limited:
                barred_until = limited.until
            loss.barred_until = barred_until
            log.info(
                "absence.asked", company_id=self.company_id, resource=loss.job.step.resource,
                missing=len(loss.doubted), kept=len(loss.kept), permission=str(loss.permission),
            )  # fmt: skip

    @contextmanager
    def counted(self, step: SyncStep) -> Iterator[None]:
        """Calls made inside count as calls of this step."""
        before = self.client.calls
        try:
            yield
        finally:
            step.requests += self.client.calls - before

    def permission(self, project_id: int, tool: Tool | None) -> Permission:
        """The service account's permission in the manifest, as far as it is known."""
        try:
            return self._permission(project_id, tool)
        except RateLimited:
            return Permission.UNKNOWN

    def _permission(self, project_id: int, tool: Tool | None) -> Permission:
        """Requested once per project. Raises RateLimited."""
        if not tool or not project_id:
            return Permission.UNKNOWN
        if project_id not in self.manifests and not self.untold:
            self.manifests[project_id] = self._manifest(project_id)
        manifest = self.manifests.get(project_id)
        if manifest is None or not manifest.understood(tool):
            return Permission.UNKNOWN
        granted = manifest.level(tool) > Level.NONE
        return Permission.GRANTED if granted else Permission.DENIED

    def lists_project(self, project_id: int) -> bool | None:
        """Whether Procore lists the project for the app now; None where that is unknown."""
        age = time.monotonic() - self.projects_at
        if self.projects is None or age > LISTED_FOR:
            self.projects, self.projects_at = self._projects(), time.monotonic()
        return None if self.projects is None else project_id in self.projects

    def _prove(self, loss: Loss) -> None:
        """Raises RateLimited: it has to be tried again then."""
        job = loss.job
        loss.proved |= self._in_bin(job.model, job.step.project_id) & loss.doubted
        if not loss.kept:
            return
        loss.permission = self._permission(job.step.project_id, job.model.spec.tool)
        if loss.permission is Permission.DENIED:
            return
        lists = loss.lists[:MOST_HELD]
        for ids in lists:
            if not self._prove_list(loss, ids, SAMPLE if len(lists) == 1 else OF_EACH):
                return

    def _prove_list(self, loss: Loss, ids: set[int], number: int) -> bool:
        """False where Procore refuses: the others need not be requested."""
        there, absent, complete = self._sample(loss, spread(sorted(ids), number))
        if there or loss.shown:
            loss.proved |= absent  # each one gives 404, and the tool answers
        small = len(ids) <= settings.DOUBT.floor
        answers = loss.shown or (loss.permission is Permission.GRANTED and small)
        if complete and absent and answers:
            loss.proved |= ids
        return loss.permission is not Permission.DENIED

    def _sample(self, loss: Loss, ids: Sequence[int]) -> tuple[bool, set[int], bool]:
        """Whether one of them exists, those that do not, and whether all were requested."""
        absent: set[int] = set()
        for one in self._ones(loss.job.model, ids):
            try:
                answer = self.client.get(one.path, **one.params)
            except NotFoundOrHidden:
                absent.add(one.remote_id)
                continue
            except (NotConnected, RateLimited):
                raise
            except Forbidden:
                loss.permission = Permission.DENIED
                return False, set(), False
            except ProcoreError:
                return False, absent, False
            there = _there(answer, one)
            if there is not False:
                return bool(there), absent, False
            absent.add(one.remote_id)
        return False, absent, True

    def _ones(self, model: type[SourceRecord], ids: Sequence[int]) -> list[One]:
        """Those that Procore shows one by one."""
        with tenant(self.company_id):
            rows = model._base_manager.filter(company_id=self.company_id, remote_id__in=ids)
            return [one for row in rows.order_by("remote_id") for one in self._one(row)][:SAMPLE]

    def _one(self, row: SourceRecord) -> Iterator[One]:
        for source in row.spec.sources:
            derived = source.derived and getattr(row, source.derived)
            if source.show and not derived and self._fits(row, source):
                names = {**vars(row), "company_id": self.company_id}
                params = {key: text.format(**names) for key, text in source.params.items()}
                path = source.show.format(**names)
                holder = int(path.rpartition("/")[2])
                yield One(row.remote_id, path, params, holder, source.rows)
                return

    def _fits(self, row: SourceRecord, source: Source) -> bool:
        if any(getattr(row, name) != value for name, value in source.extra.items()):
            return False
        if source.parent is None:
            return True
        above = RESOURCES[source.parent.resource]._base_manager.filter(
            company_id=self.company_id,
            remote_id=getattr(row, source.parent.column),
            **dict(source.parent.where),
        )
        return above.exists()

    def _in_bin(self, model: type[SourceRecord], project_id: int) -> set[int]:
        """Ids of deleted records, where the resource has a list of them."""
        found: set[int] = set()
        names = {"company_id": self.company_id, "project_id": project_id}
        for source in model.spec.sources:
            path = source.bin or (source.path if source.deleted else "")
            if path:
                params = {key: text.format(**names) for key, text in source.params.items()}
                if not source.bin:
                    params["filters[include_deleted]"] = "only"
                found |= self._ids(path.format(**names), params)
        return found

    def _ids(self, path: str, params: Names) -> set[int]:
        found: set[int] = set()
        try:
            for row in islice(self.client.rows(path, params), MOST_IN_BIN):
                found.add(record_id(row.get("id")) or 0)
        except (NotConnected, RateLimited):
            raise
        except ProcoreError:
            pass  # what was read so far counts
        return found

    def _manifest(self, project_id: int) -> Manifest | None:
        try:
            return read_manifest(self.client.get(PATH, project_id=project_id))
        except (NotConnected, RateLimited):
            raise
        except Forbidden:
            self.untold = True
            return None
        except ProcoreError:
            return None

    def _projects(self) -> set[int] | None:
        source = RESOURCES["projects"].spec.sources[0]
        names = {"company_id": self.company_id}
        params = {key: text.format(**names) for key, text in source.params.items()}
        try:
            return {record_id(row.get("id")) or 0 for row in self.client.rows(source.path, params)}
        except NotConnected:
            raise
        except ProcoreError:
            return None


def spread(ids: Sequence[int], number: int) -> list[int]:
    """So many of them, evenly spread: hidden records are often neighbours."""
    if len(ids) <= number:
        return list(ids)
    return [ids[at * (len(ids) - 1) // (number - 1)] for at in range(number)]


def _there(answer: object, one: One) -> bool | None:
    """Whether the record exists; None where the response does not say.

    Bare or under `data`. Procore shows some deleted records by their id, and marks them.
    """
    inner = answer
    if isinstance(answer, dict) and "id" not in answer:
        inner = answer.get("data")
    record = inner if isinstance(inner, dict) else {}
    if record_id(record.get("id")) != one.holder_id:
        return None
    if (
        record.get("deleted_at")
        or record.get("deleted") is True
        or record.get("in_recycle_bin") is True
    ):
        return False
    if not one.rows:
        return True
    rows = record.get(one.rows)
    if not isinstance(rows, list):
        return None
    return any(isinstance(r, dict) and record_id(r.get("id")) == one.remote_id for r in rows)
