"""Ends people's access to a company: sessions, sign-in codes, and cached rights."""

from django.apps import apps
from django.db import models

from partner_app.tenancy.context import tenant


def end_access(*, company_id: int, remote_user_id: int | None = None) -> int:
    """For everyone, or for one person; returns the number of deleted rows.

    Joins the caller's transaction, so that the cause and the end of access are one step.
    """
    person = {} if remote_user_id is None else {"remote_user_id": remote_user_id}
    with tenant(company_id):
        return sum(
            model._base_manager.filter(**{column: company_id}, **person).delete()[0]
            for model, column in access_models()
        )


def access_models() -> list[tuple[type[models.Model], str]]:
    """Models that declare `ends_with_access`, each with its company column.

    Each model declares it itself, so a new table cannot be forgotten here.
    """
    return [
        (model, getattr(model, "company_column", "company_id"))
        for model in apps.get_models()
        if getattr(model, "ends_with_access", False)
    ]
