"""The WBS code under which each row of a project's budget counts, from the mirror.

Inside tenant().
"""

from collections.abc import Iterable
from decimal import Decimal

from django.db import models

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.budget_ties import CostTypes, OldRow, cost_types_in, tie
from integrations.procore.resources.cost_types import CostType
from integrations.procore.resources.wbs_codes import WbsCode

ZERO = Decimal(0)


def tied_rows(company_id: int, project_id: int) -> dict[int, int]:
    """Budget rows that Procore sent without a WBS code, and the code that each belongs to.

    One short query where there are none, as in most projects.
    """
    old = rows_of(company_id, project_id).filter(wbs_code_id=None)
    return _tied(list(old))


def rows_of(company_id: int, project_id: int) -> "models.QuerySet[BudgetRow]":
    return BudgetRow.objects.filter(company_id=company_id, project_id=project_id)


def code_by_row(rows: Iterable[BudgetRow]) -> dict[int, int]:
    """WBS codes of one project's rows by row id; 0 where unknown. Usually without a query."""
    every = list(rows)
    tied = _tied([row for row in every if not row.wbs_code_id])
    return {row.remote_id: row.wbs_code_id or tied.get(row.remote_id, 0) for row in every}


def untied(rows: Iterable[BudgetRow]) -> tuple[int, dict[str, Decimal]]:
    """How many of one project's rows have no known code, and their budget by currency."""
    every = list(rows)
    codes = code_by_row(every)
    left = [row for row in every if not codes[row.remote_id]]
    sums: dict[str, Decimal] = {}
    for row in left:
        amount = (row.original_budget_amount or ZERO) + (row.budget_modifications or ZERO)
        sums[row.currency] = sums.get(row.currency, ZERO) + amount
    return len(left), sums


def cost_types(company_id: int) -> CostTypes:
    rows = CostType.objects.filter(company_id=company_id)
    return cost_types_in(rows.values_list("remote_id", "code", "name"))


def _tied(old: list[BudgetRow]) -> dict[int, int]:
    if not old:
        return {}
    company_id, project_id = old[0].company_id, old[0].project_id
    codes = WbsCode.objects.filter(company_id=company_id, project_id=project_id)
    rows = [
        OldRow(row.remote_id, row.cost_code, row.category, row.category_id, row.biller)
        for row in old
    ]
    return tie(rows, codes.values_list("remote_id", "flat_code"), cost_types(company_id))
