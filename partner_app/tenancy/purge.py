"""Deletes every row of a company. The audit log records that it happened."""

from django.apps import apps
from django.db import models

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error
from partner_app.tenancy.models import Company


def purge_company(*, company_id: int, actor: str = "operator") -> dict[str, object]:
    """Deletes its rows in every table with a company, in one transaction."""
    deleted: dict[str, int] = {}
    with tenant(company_id):
        # Locked first: a sign-in at this moment waits, and then finds no company.
        company_or_error(company_id, lock=True)
        for model, column in company_models():
            count, _ = model._base_manager.filter(**{column: company_id}).delete()
            if count:
                deleted[model._meta.db_table] = count
        Company.objects.filter(id=company_id).delete()
        record(Event.COMPANY_PURGED, actor=actor, company_id=company_id, rows=sum(deleted.values()))
    return {"company_id": company_id, "purged": True, "rows": deleted}


def due_for_purge() -> list[int]:
    """Companies whose grace period has ended."""
    due = Company.objects.filter(purge_after__lte=clock.now())
    return list(due.order_by("id").values_list("id", flat=True))


def company_models() -> list[tuple[type[models.Model], str]]:
    """Models with a company and the column that names it, children before parents; without audit.

    A model may name another column: `company_column`, where the company was only hinted at.
    """
    found = []
    for model in apps.get_models():
        column = getattr(model, "company_column", "company_id")
        named = any(field.attname == column for field in model._meta.concrete_fields)
        if named and model._meta.app_label != "audit":
            found.append((model, column))
    return list(reversed(found))
