"""Deletes expired rows: operational data, and fields that the data inventory limits."""

from datetime import timedelta

from django.apps import apps

from partner_app.core import clock
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company


def delete_expired() -> dict[str, int]:
    """Rows older than their model's `keep_for` (days since `kept_since`), or their spec's limit.

    Each model declares it itself, so a new table cannot be forgotten here.
    """
    deleted: dict[str, int] = {}
    now = clock.now()
    for model in apps.get_models():
        days, column = getattr(model, "keep_for", None), getattr(model, "kept_since", "")
        spec = getattr(model, "spec", None)
        if spec is not None:
            days, column = spec.retention_days, "synced_at"
        if not days:
            continue
        old = {f"{column}__lt": now - timedelta(days=days)}
        if getattr(model, "tenant_table", False):
            count = 0
            for company_id in Company.objects.values_list("id", flat=True):
                with tenant(company_id):
                    count += model._base_manager.filter(company_id=company_id, **old).delete()[0]
        else:
            count = model._base_manager.filter(**old).delete()[0]
        if count:
            deleted[model._meta.db_table] = count
    return deleted
