"""Which budget view a company has pinned, what its columns mean, and which projects lack it."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.budget_columns import BudgetColumn
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.budget_views import NO_CHOICE, ViewChoice
from integrations.procore.sync.models import SyncCursor
from partner_app.tenancy.models import TenantModel


class BudgetViewChoice(TenantModel):
    """A company's decision. `columns` lists meaning, id and name of each."""

    exported: ClassVar[str] = "budget_view"

    pk = models.CompositePrimaryKey("company_id", "view_id")
    view_id = models.BigIntegerField()
    view_name = models.TextField()
    columns = models.JSONField(default=list)
    chosen_at = models.DateTimeField()
    chosen_by = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company"], name="one_budget_view_choice")
        ]


def choice_of(company_id: int) -> ViewChoice:
    """Inside tenant()."""
    row = BudgetViewChoice.objects.filter(company_id=company_id).first()
    if row is None:
        return NO_CHOICE
    columns = tuple(BudgetColumn(**column) for column in row.columns)
    return ViewChoice(row.view_id, row.view_name, columns)


def lendable_view(company_id: int) -> int | None:
    """Inside tenant(). The view to try in a project whose views are unknown.

    The pinned one, else the standard one in which most of the other budgets were read.
    """
    pinned = choice_of(company_id).view_id
    if pinned is not None:
        return pinned
    read = budget_cursors(company_id).filter(via_fallback=False).exclude(via_id=None)
    counted = read.values("via_id").annotate(projects=models.Count("id")).order_by("-projects")
    found = counted.first()
    return found["via_id"] if found else None


def lacks_pinned_view(company_id: int, project_id: int) -> bool:
    """Inside tenant(). Whether a project's budget was read from a view other than the pinned."""
    rows = budget_cursors(company_id).filter(project_id=project_id, via_fallback=True)
    return rows.exists() and choice_of(company_id).view_id is not None


def pinned_view_gone(company_id: int) -> bool:
    """Inside tenant(). No project read so far has the view that the company pinned."""
    if choice_of(company_id).view_id is None:
        return False
    read = budget_cursors(company_id).exclude(via_id=None)
    return read.exists() and not read.filter(via_fallback=False).exists()


def budget_cursors(company_id: int) -> "models.QuerySet[SyncCursor]":
    return SyncCursor.objects.filter(company_id=company_id, resource=BudgetRow.spec.name)
