"""Budget rows: the live budget, one row for each WBS code, as the company's first view shows it."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source

VIEWS = "/rest/v1.0/budget_views"


class BudgetRow(SourceRecord):
    spec = ResourceSpec(
        name="budget_rows",
        scope=Scope.PROJECT,
        sources=(Source(VIEWS + "/{via}/detail_rows", {"project_id": "{project_id}"}, via=VIEWS),),
        changes=Changes.CONTENT,
        tool="budget",
        webhooks=("Budget Line Items",),
        web="/{project_id}/project/budgeting",
    )

    wbs_code_id = kept(models.BigIntegerField(null=True), purpose="ties a row to its WBS code")
    cost_code = kept(models.TextField(), purpose="names the row as people do")
    category = kept(models.TextField(), purpose="names the cost type")
    original_budget_amount = kept(money(), purpose="the budget before changes")
    budget_modifications = kept(money(), purpose="approved changes of the budget")
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )
    unbudgeted_reason = kept(models.TextField(), purpose="marks cost without a budget")

    class Meta:
        indexes: ClassVar = [
            # budget totals on home and project page.
            models.Index(fields=["company", "project_id"], name="budget_row_project")
        ]
