"""Reads Procore again and compares each record with the mirror, changing nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import (
    Forbidden,
    NotFoundOrHidden,
    RateLimited,
    ServerTrouble,
)
from integrations.procore.resources.decoding import Fault
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import SourceRecord, kept_fields
from integrations.procore.resources.spec import Parent, Scope
from integrations.procore.sync.absence import PROJECTS
from integrations.procore.sync.budget_choice import choice_of
from integrations.procore.sync.engine import Wait
from integrations.procore.sync.fetching import Crew
from integrations.procore.sync.parts import open_absences
from integrations.procore.sync.quarantine import records_of
from integrations.procore.sync.reading import Piece, Reader
from partner_app.connections.access import app_client
from partner_app.connections.purposes import CallPurpose
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error

Remote = dict[int, bytes]  # content hash by id


def verify(*, company_id: int, wait: Wait) -> dict[str, object]:
    """`drift` counts every record that is missing here, extra here, or different.

    Unreadable records are not drift: they are counted as unreadable, and a former copy may be here.
    """
    company_or_error(company_id)
    client = app_client(company_id, CallPurpose.CHECK)
    check = _Check(client, company_id, wait)
    resources = {name: check.compare(model) for name, model in RESOURCES.items()}
    client.rate.give_back()
    drift = sum(r["missing"] + r["extra"] + r["different"] for r in resources.values())
    return {"resources": resources, "drift": drift}


class _Check:
    def __init__(self, client: ProcoreClient, company_id: int, wait: Wait) -> None:
        self.client, self.company_id, self.wait = client, company_id, wait
        self.projects: list[int] = []
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        with tenant(company_id):
            self.choice = choice_of(company_id)
        self.doubts = open_absences(company_id).keys()
        # Ids by resource, project and the values that identify them as parents to be read.
        self.ids: dict[tuple[str, int | None], list[tuple[int, dict[str, object]]]] = {}

    def compare(self, model: type[SourceRecord]) -> dict[str, int]:
        remote = self._remote(model)
        faults = self.faults[model.spec.name]
        aside = {fault.remote_id for fault in faults if fault.set_aside}
        with tenant(self.company_id):
            rows = model._base_manager.filter(company_id=self.company_id)
            local = {
                key: bytes(value) for key, value in rows.values_list("remote_id", "content_hash")
            }
        if model.spec.name == "projects":
            self.projects = [*remote, *(key for key in local if key in aside)]
        beyond = {key for key in local.keys() - remote.keys() if key not in aside}
        kept = self._kept(model, beyond)
        extra = len(beyond) - kept
        if None in aside:  # any of those may be the record without an id
            extra = max(0, extra - sum(fault.remote_id is None for fault in faults))
        both = remote.keys() & local.keys()
        return {
            "remote": len(remote),
            "local": len(local),
            "missing": len(remote.keys() - local.keys()),
            "extra": extra,
            "suspect": kept,
            "unreadable": records_of(faults),
            "different": sum(remote[key] != local[key] for key in both),
        }

    def _kept(self, model: type[SourceRecord], extra: Collection[int]) -> int:
        """How many of those that Procore does not show are known to be in doubt."""
        doubted = {place for name, place in self.doubts if name == model.spec.name}
        withheld = {place for name, place in self.doubts if name == PROJECTS}
        if model.spec.name == PROJECTS:
            return len(withheld & set(extra))
        with tenant(self.company_id):
            rows = model._base_manager.filter(company_id=self.company_id)
            places = rows.filter(remote_id__among=set(extra)).values_list("project_id", flat=True)
            return sum((place or 0) in doubted | withheld for place in places)

    def _remote(self, model: type[SourceRecord]) -> Remote:
        company_wide = model.spec.scope is Scope.COMPANY
        places: list[int | None] = [None] if company_wide else [*self.projects]
        found: Remote = {}
        with Crew[_Part]() as crew:
            for place in places:
                crew.add(_Part(self._reader(model, place), place))
            for delivery in crew.deliveries(idle=lambda: None):
                part, error = delivery.job, delivery.error
                if delivery.piece is not None:
                    found |= {r.remote_id: r.content_hash for r in delivery.piece.records}
                    self.faults[model.spec.name].extend(delivery.piece.faults)
                    self._note(model, part.place, delivery.piece)
                elif isinstance(error, RateLimited | ServerTrouble) and error.until:
                    self.wait(error.until)
                    crew.add(part)
                elif error is not None and not isinstance(error, Forbidden | NotFoundOrHidden):
                    raise error
        return found

    def _reader(self, model: type[SourceRecord], place: int | None) -> Reader:
        parents = {source.parent for source in model.spec.sources if source.parent}
        return Reader(
            self.client,
            model,
            company_id=self.company_id,
            project_id=place,
            parents={parent: self._parents(parent, place) for parent in parents},
            choice=self.choice,
        )

    def _note(self, model: type[SourceRecord], place: int | None, piece: Piece) -> None:
        names = [field.name for field, _ in kept_fields(model)]
        rows = self.ids.setdefault((model.spec.name, place), [])
        rows.extend((r.remote_id, dict(zip(names, r.values, strict=True))) for r in piece.records)

    def _parents(self, parent: Parent, place: int | None) -> list[int]:
        rows = self.ids.get((parent.resource, place), [])
        wanted = dict(parent.where).items()
        return [key for key, values in rows if wanted <= values.items()]


class _Part:
    def __init__(self, reader: Reader, place: int | None) -> None:
        self.reader, self.place = reader, place

    def pieces(self) -> Iterator[Piece]:
        return self.reader.pieces()
