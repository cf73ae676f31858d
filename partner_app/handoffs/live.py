"""The live budget, read from Procore at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.envelopes import Record
from integrations.procore.api.errors import Forbidden, Unreadable
from integrations.procore.api.values import record_id, text_of, yes_or_no
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.lenient import WrongShape, read
from integrations.procore.resources.wbs_codes import WbsCode
from integrations.procore.sync.reading import Reader
from partner_app.estimates.reading.units import unit_name
from partner_app.handoffs.diff import LiveCode, LiveLine

# A line's own fields, as an undo puts them back.
NUMBERS = ("original_budget_amount", "quantity", "unit_cost")
TEXTS = ("uom", "calculation_strategy")


@dataclass(frozen=True)
class LiveBudget:
    """Codes by flat code; budget lines by WBS code id; whether original amounts are locked.

    `units`: what we call a unit → how the company's own list calls it.
    """

    codes: Mapping[str, LiveCode]
    lines: Mapping[int, LiveLine]
    locked: bool
    currency: str = ""
    units: Mapping[str, str] = field(default_factory=dict)


def read_budget(
    client: ProcoreClient, company_id: int, project_id: int, *, with_units: bool = False
) -> LiveBudget:
    """Raises ProcoreError."""
    locked = yes_or_no(client.record(f"/rest/v1.0/projects/{project_id}/budget").get("locked"))
    if locked is None:
        raise Unreadable("a budget that is neither locked nor open")
    codes = read_codes(client, company_id, project_id)
    lines, currency = _read_rows(client, project_id)
    units = read_units(client, company_id) if with_units else {}
    return LiveBudget(codes, lines, locked, currency, units)


def read_codes(client: ProcoreClient, company_id: int, project_id: int) -> dict[str, LiveCode]:
    reader = Reader(client, WbsCode, company_id=company_id, project_id=project_id)
    codes: dict[str, LiveCode] = {}
    for piece in reader.pieces():
        for record in piece.records:
            flat_code, name, status = (str(value) for value in record.values)
            if flat_code:
                codes[flat_code] = LiveCode(record.remote_id, status.casefold() == "active", name)
    return codes


def read_lines(client: ProcoreClient, project_id: int) -> dict[int, LiveLine]:
    return _read_rows(client, project_id)[0]


def read_units(client: ProcoreClient, company_id: int) -> dict[str, str]:
    """The company's own list of units; empty where this credential may not read it."""
    try:
        rows = list(client.rows(f"/rest/v1.0/companies/{company_id}/uoms", {}))
    except Forbidden:
        return {}
    units: dict[str, str] = {}
    for row in rows:
        name = text_of(row.get("name"))
        units.setdefault(unit_name(name) or name.lower(), name)
    return units


def read_image(client: ProcoreClient, project_id: int, line_item_id: int) -> dict[str, str]:
    """A budget line's own fields as text, so that they can be put back exactly."""
    row = client.record(f"/rest/v1.1/budget_line_items/{line_item_id}", project_id=project_id)
    image = {name: str(to_amount(row[name])) for name in NUMBERS if row.get(name) is not None}
    return image | {name: text_of(row[name]) for name in TEXTS if row.get(name) is not None}


def to_amount(value: object) -> Decimal:
    """Nothing is zero. Raises Unreadable: against a guess no budget is written."""
    try:
        found = read(Decimal, Decimal, value)
    except WrongShape as error:
        raise Unreadable(f"a budget row with {error.shape}") from None
    return found if isinstance(found, Decimal) else Decimal(0)


def _read_rows(client: ProcoreClient, project_id: int) -> tuple[dict[int, LiveLine], str]:
    """Amounts of the first budget view, by WBS code id, and their currency.

    Rows without a line item (only cost) are no budget lines.
    """
    source = BudgetRow.spec.sources[0]
    query = {"project_id": project_id}
    ids = (record_id(row.get("id")) for row in client.rows(source.via, query))
    view = next(filter(None, ids), None)
    if view is None:
        return {}, ""
    lines: dict[int, LiveLine] = {}
    currency = ""
    for row in client.rows(source.path.format(via=view), query):
        configuration = row.get("currency_configuration")
        if isinstance(configuration, dict):
            currency = currency or text_of(configuration.get("currency_iso_code"))
        if row.get("wbs_code_id") and not row.get("unbudgeted_reason"):
            code, line = _line(row)
            lines[code] = line
    return lines, currency


def _line(row: Record) -> tuple[int, LiveLine]:
    """By its WBS code's id. Raises Unreadable: a line that is not seen would be written twice."""
    code, key = record_id(row["wbs_code_id"]), record_id(row.get("id"))
    if code is None or key is None:
        raise Unreadable("a budget row without a usable id")
    return code, LiveLine(
        key,
        to_amount(row.get("original_budget_amount")),
        yes_or_no(row.get("deletable")) is True,
        to_amount(row.get("budget_modifications")),
    )
