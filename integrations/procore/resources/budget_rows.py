"""Budget rows: the live budget, one row for each WBS code in use, as one budget view shows it.

budget_views.py chooses the view; budget_columns.py names its columns.
"""

from collections.abc import Mapping
from typing import ClassVar

from django.db import models

from integrations.procore.api.values import text_of
from integrations.procore.resources.budget_views import ALL_ROWS
from integrations.procore.resources.source import SourceRecord, kept, money
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop

VIEWS = "/rest/v1.0/budget_views"
# Events that change a view's columns without changing a budget line.
OF_COSTS = (
    "Work Order Contracts",
    "Purchase Order Contracts",
    "Commitment Change Orders",
    "Change Order Packages",
    "Potential Change Orders",
    "Change Events",
    "Direct Costs",
)


class BudgetRow(SourceRecord):
    spec = ResourceSpec(
        name="budget_rows",
        label=gettext_noop("Budget rows"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                VIEWS + "/{via}/detail_rows",
                {"project_id": "{project_id}", **ALL_ROWS},
                via=VIEWS,
                show="/rest/v1.1/budget_line_items/{remote_id}",
                derived="unbudgeted_reason",
                derived_from="wbs_code_id",
            ),
        ),
        changes=Changes.CONTENT,
        tool=Tool.BUDGET,
        webhooks=("Budget Line Items", *OF_COSTS),
        web="/{project_id}/project/budgeting",
    )

    wbs_code_id = kept(models.BigIntegerField(null=True), purpose="ties a row to its WBS code")
    cost_code = kept(models.TextField(), purpose="identifies the row for people")
    category = kept(models.TextField(), purpose="names the cost type")
    category_id = kept(
        models.BigIntegerField(null=True), purpose="ties a row without a WBS code to one"
    )
    biller = kept(
        models.TextField(db_default=""),
        purpose="distinguishes sub jobs in a row without a WBS code",
    )
    original_budget_amount = kept(money(), purpose="the budget before changes")
    budget_modifications = kept(money(), purpose="approved changes of the budget")
    approved_cos = kept(money(), purpose="approved changes of the prime contract")
    revised_budget = kept(
        money(), purpose="the budget with approved changes, as Procore adds it up"
    )
    pending_budget_changes = kept(money(), purpose="changes of the budget that wait for approval")
    projected_budget = kept(money(), purpose="the budget with what is pending")
    committed_costs = kept(money(), purpose="checks our sum of committed contracts")
    direct_costs = kept(money(), purpose="checks our sum of direct costs")
    job_to_date_costs = kept(money(), purpose="what was spent so far")
    pending_cost_changes = kept(money(), purpose="checks our sum of pending change orders")
    projected_costs = kept(money(), purpose="what is committed, spent and pending")
    forecast_to_complete = kept(
        money(), purpose="what is still to be spent, where people forecast it"
    )
    estimated_cost_at_completion = kept(money(), purpose="what the code will have cost")
    projected_over_under = kept(money(), purpose="whether the code ends over its budget")
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


def currency_of(row: Mapping[str, object]) -> str:
    """The currency of a row as Procore sends it; empty where it does not say."""
    found = row.get("currency_configuration")
    return text_of(found.get("currency_iso_code")) if isinstance(found, dict) else ""
