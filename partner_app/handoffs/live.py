"""The live budget, read from Procore at this moment."""

from dataclasses import dataclass
from decimal import Decimal

from integrations.procore.api.client import ProcoreClient
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.wbs_codes import WbsCode
from integrations.procore.sync.reading import Reader
from partner_app.handoffs.diff import LiveCode, LiveLine


@dataclass(frozen=True)
class LiveBudget:
    """Codes by flat code; budget lines by WBS code id; whether original amounts are locked."""

    codes: dict[str, LiveCode]
    lines: dict[int, LiveLine]
    locked: bool


def read_codes(client: ProcoreClient, company_id: int, project_id: int) -> dict[str, LiveCode]:
    reader = Reader(client, WbsCode, company_id=company_id, project_id=project_id)
    codes: dict[str, LiveCode] = {}
    for batch in reader.batches():
        for record in batch.records:
            flat_code, _, status = record.values
            codes[str(flat_code)] = LiveCode(record.remote_id, status == "active")
    return codes


def read_lines(client: ProcoreClient, project_id: int) -> dict[int, LiveLine]:
    """Amounts of the first budget view, by WBS code id.

    Rows without a line item (only cost) are no budget lines.
    """
    source = BudgetRow.spec.sources[0]
    query = {"project_id": project_id}
    view = next(client.rows(source.via, query), None)
    if view is None:
        return {}
    return {
        int(row["wbs_code_id"]): LiveLine(
            int(row["id"]),
            to_amount(row.get("original_budget_amount")),
            bool(row.get("deletable")),
        )
        for row in client.rows(source.path.format(via=view["id"]), query)
        if row.get("wbs_code_id") and not row.get("unbudgeted_reason")
    }


def read_budget(client: ProcoreClient, company_id: int, project_id: int) -> LiveBudget:
    """Raises ProcoreError."""
    locked = bool(client.get(f"/rest/v1.0/projects/{project_id}/budget").get("locked"))
    codes = read_codes(client, company_id, project_id)
    return LiveBudget(codes, read_lines(client, project_id), locked)


def to_amount(value: object) -> Decimal:
    return Decimal(str(value)) if value not in {None, ""} else Decimal(0)
