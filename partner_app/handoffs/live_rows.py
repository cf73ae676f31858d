"""Rows of the live budget, from the view that the sync reads too, each under its WBS code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.envelopes import Record
from integrations.procore.api.errors import Unreadable
from integrations.procore.api.values import record_id, text_of, yes_or_no
from integrations.procore.resources.budget_codes import cost_types
from integrations.procore.resources.budget_rows import BudgetRow, currency_of
from integrations.procore.resources.budget_ties import OldRow, may_hold, tie
from integrations.procore.resources.budget_views import choose, views_in
from integrations.procore.resources.lenient import WrongShape, absent, read
from integrations.procore.sync.budget_choice import choice_of
from partner_app.handoffs.diff import LiveCode, LiveLine
from partner_app.tenancy.context import tenant

ZERO = Decimal(0)
Codes = Mapping[str, LiveCode]


@dataclass(frozen=True)
class LiveRows:
    """Budget lines by WBS code id, those without one by name, their possible codes, currency."""

    lines: Mapping[int, LiveLine]
    untied: Mapping[str, Decimal]
    doubtful: frozenset[str]
    currency: str


def read_rows(
    client: ProcoreClient, company_id: int, project_id: int, codes: Callable[[], Codes]
) -> LiveRows:
    """`codes` are requested where a row names none. Raises ProcoreError."""
    # Rows without a line item (only cost) are not budget lines.
    rows = [r for r in _rows(client, company_id, project_id) if not r.get("unbudgeted_reason")]
    named = [(code, row) for row in rows if (code := _named_code(row))]
    old = [row for row in rows if not _named_code(row)]
    known = codes() if old else {}
    tied = _tied(company_id, old, known)
    lines: dict[int, LiveLine] = {}
    untied: dict[str, Decimal] = {}
    left = []
    # A row that names its code has priority over one that only seems to belong to it.
    for code, row in (*named, *((tied.get(_id(row), 0), row) for row in old)):
        if code:
            lines[code] = _joined(lines.get(code), _line(row))
        else:
            name = f"{text_of(row.get('cost_code'))} · {text_of(row.get('category'))}"
            untied[name] = untied.get(name, ZERO) + to_amount(row.get("original_budget_amount"))
            left.append(_old_row(row))
    currency = next(filter(None, map(currency_of, rows)), "")
    return LiveRows(lines, untied, may_hold(left, known), currency)


def to_amount(value: object) -> Decimal:
    """An empty value is zero. Raises Unreadable: no budget is written against a guess."""
    try:
        found = read(Decimal, Decimal, value)
    except WrongShape as error:
        raise Unreadable(f"a budget row with {error.shape}") from None
    return found if isinstance(found, Decimal) else Decimal(0)


def _rows(client: ProcoreClient, company_id: int, project_id: int) -> list[Record]:
    with tenant(company_id):
        choice = choice_of(company_id)
    source = BudgetRow.spec.sources[0]
    names = {"project_id": str(project_id)}
    view = choose(views_in(client.rows(source.via, names)), choice)
    if view is None:
        return []
    query = {key: value.format(**names) for key, value in source.params.items()}
    return list(client.rows(source.path.format(via=view.id), query))


def _named_code(row: Record) -> int | None:
    """Raises Unreadable: a line that is overlooked would be written twice."""
    given = row.get("wbs_code_id")
    found = record_id(given)
    if found is None and not absent(given):
        raise Unreadable("a budget row without a usable id")
    return found


def _id(row: Record) -> int:
    """Raises Unreadable."""
    found = record_id(row.get("id"))
    if found is None:
        raise Unreadable("a budget row without a usable id")
    return found


def _tied(company_id: int, old: list[Record], codes: Codes) -> dict[int, int]:
    if not old:
        return {}
    with tenant(company_id):
        types = cost_types(company_id)
    known = ((code.wbs_code_id, flat_code) for flat_code, code in codes.items())
    return tie(map(_old_row, old), known, types)


def _old_row(row: Record) -> OldRow:
    return OldRow(
        _id(row),
        text_of(row.get("cost_code")),
        text_of(row.get("category")),
        record_id(row.get("category_id")),
        text_of(row.get("biller")),
    )


def _line(row: Record) -> LiveLine:
    return LiveLine(
        _id(row),
        to_amount(row.get("original_budget_amount")),
        # Where Procore does not say so, its response to the deletion does.
        yes_or_no(row.get("deletable")) is not False,
        to_amount(row.get("budget_modifications")),
    )


def _joined(first: LiveLine | None, line: LiveLine) -> LiveLine:
    """Two rows of one code: both are kept, and a plan does not touch them."""
    if first is None:
        return line
    return replace(
        first,
        amount=first.amount + line.amount,
        changes=first.changes + line.changes,
        deletable=False,
        rows=first.rows + 1,
    )
