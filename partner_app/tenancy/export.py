"""All data of a company as JSON Lines, for a customer who requests it."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from django.apps import apps
from django.db import models

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error

Line = Callable[[Any], dict[str, object]]
encode = msgspec.json.Encoder(decimal_format="number").encode


def export_company(*, company_id: int, output: Path) -> dict[str, object]:
    """One file per resource, and one for each kind of the company's own work.

    A resource has `spec` and columns marked by kept(); a model of the company's own declares
    `exported`, the name of its file. Nothing else is exported.
    """
    company_or_error(company_id)
    output.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    with tenant(company_id):
        for model in apps.get_models():
            name, line = _way_out(model)
            if not name:
                continue
            rows = model._base_manager.filter(company_id=company_id).order_by("pk")
            with (output / f"{name}.jsonl").open("wb") as file:
                written[name] = _write(file, line, rows.iterator(chunk_size=2000))
        record(Event.COMPANY_EXPORTED, actor="operator", company_id=company_id)
    return {"company_id": company_id, "output": str(output), "records": written}


def _way_out(model: type[models.Model]) -> tuple[str, Line]:
    """A model's file name, empty where it has none, and the function that writes one row."""
    if spec := getattr(model, "spec", None):
        names = [field.name for field in model._meta.concrete_fields if hasattr(field, "kept")]
        return spec.name, partial(_copy, names)
    hidden = {"company", "project_id", *getattr(model, "sealed", ())}
    fields = [
        (field.name, field.attname)
        for field in model._meta.concrete_fields
        if field.name not in hidden and not isinstance(field, models.BinaryField)
    ]
    return getattr(model, "exported", ""), partial(_own, fields)


def _copy(names: list[str], row: Any) -> dict[str, object]:
    return {
        "id": row.remote_id,
        "project_id": row.project_id,
        "updated_at": row.remote_updated_at,
        "fields": {name: getattr(row, name) for name in names},
    }


def _own(fields: list[tuple[str, str]], row: Any) -> dict[str, object]:
    """A key of several columns is written as one text, without the company."""
    key = "/".join(map(str, row.pk[1:])) if isinstance(row.pk, tuple) else row.pk
    return {
        "id": key,
        "project_id": getattr(row, "project_id", None),
        "updated_at": None,
        "fields": {name: getattr(row, attribute) for name, attribute in fields},
    }


def _write(file: Any, line: Line, rows: Iterable[Any]) -> int:
    count = 0
    for row in rows:
        file.write(encode(line(row)) + b"\n")
        count += 1
    return count
