"""Estimate against live budget: what has to become of each WBS code. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from partner_app.core.money import tie_out


@dataclass(frozen=True)
class LiveCode:
    """A WBS code of the project as Procore has it now."""

    wbs_code_id: int
    active: bool


@dataclass(frozen=True)
class LiveLine:
    """A budget line as Procore has it now."""

    line_item_id: int
    amount: Decimal
    deletable: bool


@dataclass(frozen=True)
class PlannedRow:
    wbs_code: str
    wbs_code_id: int | None
    action: str
    before: Decimal | None
    after: Decimal
    line_item_id: int | None
    reason: str = ""


def plan_rows(
    exact: Mapping[str, Decimal], codes: Mapping[str, LiveCode], lines: Mapping[int, LiveLine]
) -> list[PlannedRow]:
    """One row a code. `exact` holds unrounded sums; the rows add up to their rounded total."""
    return [_row(code, after, codes, lines) for code, after in sorted(tie_out(exact).items())]


def _row(
    code: str, after: Decimal, codes: Mapping[str, LiveCode], lines: Mapping[int, LiveLine]
) -> PlannedRow:
    live = codes.get(code)
    if live is None:
        reason = f"WBS code {code} does not exist in this project"
        return PlannedRow(code, None, "blocked", None, after, None, reason)
    line = lines.get(live.wbs_code_id)
    if line is not None and line.amount == after:
        action = "unchanged"
    elif not live.active:
        reason = f"WBS code {code} is inactive"
        before = line.amount if line else None
        return PlannedRow(code, live.wbs_code_id, "blocked", before, after, None, reason)
    else:
        action = "create" if line is None else "update"
    before = line.amount if line else None
    line_item_id = line.line_item_id if line else None
    return PlannedRow(code, live.wbs_code_id, action, before, after, line_item_id)


def fingerprint(file_hash: bytes, rows: list[PlannedRow]) -> bytes:
    """Changes with the estimate, its mapping, and the live amounts that were read."""
    parts = [f"{row.wbs_code}|{row.before}|{row.after}" for row in rows]
    return hashlib.sha256(file_hash + "\n".join(parts).encode()).digest()
