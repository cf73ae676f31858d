"""Deletes every row of a company. The audit log keeps that it happened."""

from django.apps import apps
from django.db import models, transaction

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import GRACE, company_or_error
from partner_app.tenancy.models import Company


def schedule_purge(*, company_id: int) -> dict[str, object]:
    """Starts the grace period."""
    with transaction.atomic():
        company = company_or_error(company_id)
        company.purge_after = clock.now() + GRACE
        company.save(update_fields=["purge_after"])
        record(Event.PURGE_SCHEDULED, actor="operator", company_id=company_id)
    return {"company_id": company_id, "purge_after": company.purge_after.isoformat()}


def purge_company(*, company_id: int) -> dict[str, object]:
    """Every row in every table that carries the company, in one transaction."""
    company_or_error(company_id)
    deleted: dict[str, int] = {}
    with tenant(company_id):
        for model in company_models():
            count, _ = model._base_manager.filter(company_id=company_id).delete()
            if count:
                deleted[model._meta.db_table] = count
        Company.objects.filter(id=company_id).delete()
        record(
            Event.COMPANY_PURGED,
            actor="operator",
            company_id=company_id,
            rows=sum(deleted.values()),
        )
    return {"company_id": company_id, "purged": True, "rows": deleted}


def company_models() -> list[type[models.Model]]:
    """Models with a company, children before parents; audit stays."""
    found = [
        model
        for model in apps.get_models()
        if any(field.attname == "company_id" for field in model._meta.concrete_fields)
        and model._meta.app_label != "audit"
    ]
    return list(reversed(found))
