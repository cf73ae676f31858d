"""Under which WBS code each row of a project's budget counts, from the mirror. Inside tenant()."""

from decimal import Decimal
from typing import Any

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.budget_ties import CostTypes, OldRow, cost_types_in, tie
from integrations.procore.resources.cost_types import CostType
from integrations.procore.resources.wbs_codes import WbsCode

ZERO = Decimal(0)


def tied_rows(company_id: int, project_id: int) -> dict[int, int]:
    """Budget rows that Procore gave without a WBS code, and the code that each belongs to.

    One short query where there are none, as in most projects.
    """
    rows = [OldRow(*values) for values in _old_rows(company_id, project_id)]
    if not rows:
        return {}
    codes = WbsCode.objects.filter(company_id=company_id, project_id=project_id)
    return tie(rows, codes.values_list("remote_id", "flat_code"), cost_types(company_id))


def cost_types(company_id: int) -> CostTypes:
    rows = CostType.objects.filter(company_id=company_id)
    return cost_types_in(rows.values_list("remote_id", "code", "name"))


def untied(company_id: int, project_id: int) -> tuple[int, dict[str, Decimal]]:
    """How many rows belong to no known code, and their budget with changes by currency."""
    tied = tied_rows(company_id, project_id)
    rows = BudgetRow.objects.filter(
        company_id=company_id, project_id=project_id, wbs_code_id=None
    ).exclude(remote_id__in=list(tied))
    sums: dict[str, Decimal] = {}
    count = 0
    for currency, original, changes in rows.values_list(
        "currency", "original_budget_amount", "budget_modifications"
    ):
        count += 1
        sums[currency] = sums.get(currency, ZERO) + (original or ZERO) + (changes or ZERO)
    return count, sums


def _old_rows(company_id: int, project_id: int) -> Any:
    rows = BudgetRow.objects.filter(company_id=company_id, project_id=project_id, wbs_code_id=None)
    return rows.values_list("remote_id", "cost_code", "category", "category_id", "biller")
