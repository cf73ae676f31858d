"""The live budget, read from Procore now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import Forbidden, NotFoundOrHidden, Unreadable
from integrations.procore.api.values import text_of, yes_or_no
from integrations.procore.resources.wbs_codes import WbsCode
from integrations.procore.sync.parts import withheld_projects
from integrations.procore.sync.reading import Reader
from partner_app.handoffs.diff import LiveCode, LiveLine
from partner_app.handoffs.live_rows import read_rows, to_amount
from partner_app.tabular.units import unit_name

# A line's own fields, as an undo restores them.
NUMBERS = ("original_budget_amount", "quantity", "unit_cost")
TEXTS = ("uom", "calculation_strategy")


@dataclass(frozen=True)
class LiveBudget:
    """Codes by flat code; budget lines by WBS code id; whether original amounts are locked.

    `untied`: lines that belong to no single WBS code of the project, by their names in Procore;
    `doubtful`: codes that one of these may have. `units`: our name of a unit → its name in the
    company's own list.
    """

    codes: Mapping[str, LiveCode]
    lines: Mapping[int, LiveLine]
    locked: bool
    currency: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    untied: Mapping[str, Decimal] = field(default_factory=dict)
    doubtful: frozenset[str] = frozenset()


def read_budget(
    client: ProcoreClient, company_id: int, project_id: int, *, with_units: bool = False
) -> LiveBudget:
    """Raises ProcoreError; makes no call where Procore no longer lists the project for the app."""
    if project_id in withheld_projects(company_id):
        raise NotFoundOrHidden
    locked = yes_or_no(client.record(f"/rest/v1.0/projects/{project_id}/budget").get("locked"))
    if locked is None:
        raise Unreadable("a budget that is neither locked nor open")
    codes = read_codes(client, company_id, project_id)
    found = read_rows(client, company_id, project_id, lambda: codes)
    units = read_units(client, company_id) if with_units else {}
    return LiveBudget(
        codes, found.lines, locked, found.currency, units, found.untied, found.doubtful
    )


def read_codes(client: ProcoreClient, company_id: int, project_id: int) -> dict[str, LiveCode]:
    reader = Reader(client, WbsCode, company_id=company_id, project_id=project_id)
    codes: dict[str, LiveCode] = {}
    for piece in reader.pieces():
        for record in piece.records:
            flat_code, name, status = (str(value) for value in record.values)
            if flat_code:
                codes[flat_code] = LiveCode(record.remote_id, status.casefold() == "active", name)
    return codes


def read_lines(client: ProcoreClient, company_id: int, project_id: int) -> Mapping[int, LiveLine]:
    codes = partial(read_codes, client, company_id, project_id)
    return read_rows(client, company_id, project_id, codes).lines


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
    """A budget line's own fields as text, so that they can be restored exactly."""
    row = client.record(f"/rest/v1.1/budget_line_items/{line_item_id}", project_id=project_id)
    image = {name: str(to_amount(row[name])) for name in NUMBERS if row.get(name) is not None}
    return image | {name: text_of(row[name]) for name in TEXTS if row.get(name) is not None}
