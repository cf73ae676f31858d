"""Reads a resource from Procore as its spec describes, page by page, decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.pages import Page, between
from integrations.procore.resources.source import Decoded, SourceRecord, decode
from integrations.procore.resources.spec import Source

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Batch:
    """One page: records that live, and ids of those that Procore shows as deleted."""

    records: list[Decoded]
    deleted: list[int]


def read(
    client: ProcoreClient,
    model: type[SourceRecord],
    *,
    company_id: int,
    project_id: int | None,
    window: Window | None,
) -> Iterator[Batch]:
    """Raises ProcoreError, FieldUnreadable."""
    for source in model.spec.sources:
        for page in _pages(client, source, company_id, project_id, window):
            records, deleted = [], []
            for row in page.rows:
                if row.get("deleted_at"):
                    deleted.append(int(row["id"]))
                else:
                    records.append(decode(model, row, dict(source.extra)))
            yield Batch(records, deleted)


def _pages(
    client: ProcoreClient,
    source: Source,
    company_id: int,
    project_id: int | None,
    window: Window | None,
) -> Iterator[Page]:
    names = {"company_id": str(company_id), "project_id": str(project_id or "")}
    if source.via:
        parents = client.page(source.via, {"project_id": project_id}, 1).rows
        if not parents:
            return  # a project without a budget view has no budget rows
        names["via"] = str(parents[0]["id"])
    params = {key: value.format(**names) for key, value in source.params.items()}
    if source.deleted and window:
        params["filters[include_deleted]"] = "with"
    if window:
        params["filters[updated_at]"] = between(*window)
    yield from client.pages(source.path.format(**names), params)
