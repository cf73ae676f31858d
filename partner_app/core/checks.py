"""Refuses to run when a model with a company does not declare its protection."""

from typing import Any

from django.apps import apps
from django.core.checks import Error, register


@register()
def every_tenant_table_is_declared(**_: Any) -> list[Error]:
    """A model with a company is `tenant_table = True` (forced RLS) or `operational = "reason"`."""
    problems = []
    for model in apps.get_models():
        if not model.__module__.startswith(("partner_app.", "integrations.")):
            continue
        names = {field.attname for field in model._meta.concrete_fields}
        declared = getattr(model, "tenant_table", False) or getattr(model, "operational", "")
        if "company_id" in names and not declared:
            problems.append(
                Error(
                    f"{model._meta.label} has a company but says neither tenant_table nor why not."
                )
            )
    return problems
