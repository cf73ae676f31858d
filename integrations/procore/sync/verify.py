"""Reads Procore again and compares, record by record, changing nothing."""

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import RateLimited
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import SourceRecord
from integrations.procore.resources.spec import Scope
from integrations.procore.sync.engine import Wait
from integrations.procore.sync.reading import read
from partner_app.connections.access import app_client
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error


def verify(*, company_id: int, wait: Wait) -> dict[str, object]:
    """`drift` is everything missing here, extra here, or different."""
    company_or_error(company_id)
    client = app_client(company_id)
    resources: dict[str, dict[str, int]] = {}
    projects: list[int] = []
    for name, model in RESOURCES.items():
        scopes: list[int | None] = [None] if model.spec.scope is Scope.COMPANY else [*projects]
        remote: dict[int, bytes] = {}
        for project_id in scopes:
            remote |= _remote(client, model, company_id, project_id, wait)
        if name == "projects":
            projects = list(remote)
        with tenant(company_id):
            rows = model._base_manager.filter(company_id=company_id)
            local = {
                key: bytes(value) for key, value in rows.values_list("remote_id", "content_hash")
            }
        both = remote.keys() & local.keys()
        resources[name] = {
            "remote": len(remote),
            "local": len(local),
            "missing": len(remote.keys() - local.keys()),
            "extra": len(local.keys() - remote.keys()),
            "different": sum(remote[key] != local[key] for key in both),
        }
    drift = sum(r["missing"] + r["extra"] + r["different"] for r in resources.values())
    return {"resources": resources, "drift": drift}


def _remote(
    client: ProcoreClient,
    model: type[SourceRecord],
    company_id: int,
    project_id: int | None,
    wait: Wait,
) -> dict[int, bytes]:
    while True:
        try:
            return {
                record.remote_id: record.content_hash
                for batch in read(
                    client,
                    model,
                    company_id=company_id,
                    project_id=project_id,
                    window=None,
                )
                for record in batch.records
            }
        except RateLimited as error:
            wait(error.until)
