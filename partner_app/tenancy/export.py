"""All that is kept of a company, as JSON Lines: what a customer gets who asks for their data."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from django.apps import apps
from django.db import models

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error

encode = msgspec.json.Encoder(decimal_format="number").encode


def export_company(*, company_id: int, output: Path) -> dict[str, object]:
    """One file a resource.

    Models offer `spec` and columns marked by kept(); nothing else leaves.
    """
    company_or_error(company_id)
    output.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    with tenant(company_id):
        for model in apps.get_models():
            spec = getattr(model, "spec", None)
            if spec is None:
                continue
            rows = model._base_manager.filter(company_id=company_id).order_by("remote_id")
            with (output / f"{spec.name}.jsonl").open("wb") as file:
                written[spec.name] = _write(file, model, rows.iterator(chunk_size=2000))
        record(Event.COMPANY_EXPORTED, actor="operator", company_id=company_id)
    return {"company_id": company_id, "output": str(output), "records": written}


def _write(file: Any, model: type[models.Model], rows: Iterable[Any]) -> int:
    names = [field.name for field in model._meta.concrete_fields if hasattr(field, "kept")]
    count = 0
    for row in rows:
        document = {
            "id": row.remote_id,
            "project_id": row.project_id,
            "updated_at": row.remote_updated_at,
            "fields": {name: getattr(row, name) for name in names},
        }
        file.write(encode(document) + b"\n")
        count += 1
    return count
