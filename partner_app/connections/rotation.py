"""Re-encryption under the first key of FIELD_ENCRYPTION_KEYS, resumable and under load."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from django.apps import apps
from django.db import models, transaction

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.connections.models import SignInAttempt
from partner_app.core.factors import factors_remaining, rotate_factors
from partner_app.core.sealing import reseal, sealed_under_first
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company

Sealed = tuple[type[models.Model], tuple[str, ...]]


def rotate_encryption_keys() -> dict[str, object]:
    """Locks one row at a time, so that it and a refresh wait for each other.

    Rows already under the first key are left alone, so a second run continues where one stopped.
    """
    done = sum(_model(company_id, model, columns) for company_id, model, columns in _places())
    # Sign-ins in progress last ten minutes; they are deleted rather than re-encrypted.
    attempts = SignInAttempt.objects.all()
    old = [row.pk for row in attempts if not _current(row, ("verifier", "tokens"))]
    SignInAttempt.objects.filter(pk__in=old).delete()
    done += rotate_factors()
    record(Event.KEYS_ROTATED, actor="operator", company_id=None, re_encrypted=done)
    return {"re_encrypted": done, "remaining": remaining()}


def remaining() -> int:
    """Rows that still need a key other than the first."""
    count = factors_remaining()
    for company_id, model, columns in _places():
        with _guard(company_id):
            rows = _rows(company_id, model).iterator(chunk_size=20)
            count += sum(not _current(row, columns) for row in rows)
    return count


def sealed_models() -> list[Sealed]:
    """Models with sealed columns."""
    found = [(model, getattr(model, "sealed", ())) for model in apps.get_models()]
    return [(model, columns) for model, columns in found if columns]


def _places() -> Iterator[tuple[int | None, type[models.Model], tuple[str, ...]]]:
    """Each tenant's part of a tenant table, and each other table as a whole."""
    companies = list(Company.objects.order_by("id").values_list("id", flat=True))
    for model, columns in sealed_models():
        whole = not getattr(model, "tenant_table", False)
        for company_id in [None] if whole else companies:
            yield company_id, model, columns


def _guard(company_id: int | None) -> AbstractContextManager[object]:
    return transaction.atomic() if company_id is None else tenant(company_id)


def _rows(company_id: int | None, model: type[models.Model]) -> "models.QuerySet[models.Model]":
    rows = model._base_manager.all()
    return rows if company_id is None else rows.filter(company_id=company_id)


def _model(company_id: int | None, model: type[models.Model], columns: tuple[str, ...]) -> int:
    with _guard(company_id):
        keys = list(_rows(company_id, model).values_list("pk", flat=True))
    done = 0
    for key in keys:
        with _guard(company_id):
            row = model._base_manager.select_for_update().filter(pk=key).first()
            if row is None or _current(row, columns):
                continue
            for column in columns:
                if getattr(row, column):
                    setattr(row, column, reseal(getattr(row, column)))
            row.save(update_fields=list(columns))
            done += 1
    return done


def _current(row: Any, columns: tuple[str, ...]) -> bool:
    values = [getattr(row, column) for column in columns]
    return all(sealed_under_first(value) for value in values if value)
