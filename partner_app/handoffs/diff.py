"""Compares the estimate with the live budget: the action for each WBS code. Pure."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from partner_app.core.i18n import gettext_noop
from partner_app.core.money import tie_out, to_cents

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class LiveCode:
    """A WBS code of the project as Procore has it now."""

    wbs_code_id: int
    active: bool
    name: str = ""


@dataclass(frozen=True)
class LiveLine:
    """A budget line as Procore has it now."""

    line_item_id: int
    amount: Decimal
    deletable: bool
    changes: Decimal = ZERO  # modifications or budget changes on top of the original amount
    rows: int = 1  # number in Procore for this code, where one is expected


@dataclass(frozen=True)
class PlannedRow:
    wbs_code: str
    wbs_code_id: int | None
    action: str
    before: Decimal | None
    after: Decimal
    line_item_id: int | None
    reason: str = ""
    name: str = ""
    last: Decimal | None = None
    moved: Decimal = ZERO


@dataclass(frozen=True)
class Budget:
    """What the plan is made against.

    `last` are the amounts of the previous handoff; those in `overrides` are overwritten although a
    person changed them in Procore since. Codes that are `doubtful` may already have a line, in a
    row for which Procore does not give the code.
    """

    codes: Mapping[str, LiveCode]
    lines: Mapping[int, LiveLine]
    last: Mapping[str, Decimal] = field(default_factory=dict)
    overrides: Collection[str] = ()
    doubtful: Collection[str] = ()

    def line_of(self, code: str) -> LiveLine | None:
        live = self.codes.get(code)
        return self.lines.get(live.wbs_code_id) if live else None


def plan_against(exact: Mapping[str, Decimal], budget: Budget) -> list[PlannedRow]:
    """One row per code. `exact` holds unrounded sums; the rows add up to their rounded total.

    A code of the previous handoff that is missing in this one goes to zero.
    """
    rounded = tie_out(exact)
    rows = [
        replace(_row(code, after, budget), moved=after - to_cents(exact[code]))
        for code, after in rounded.items()
    ]
    gone = [code for code in budget.last if code not in rounded and budget.line_of(code)]
    rows += [_row(code, ZERO, budget) for code in gone]
    return sorted(rows, key=lambda row: row.wbs_code)


def _row(code: str, after: Decimal, budget: Budget) -> PlannedRow:
    live, last = budget.codes.get(code), budget.last.get(code)
    if live is None:
        reason = f"WBS code {code} does not exist in this project"
        return PlannedRow(code, None, "blocked", None, after, None, reason, last=last)
    line = budget.lines.get(live.wbs_code_id)
    before = line.amount if line else None
    action, reason = _action(code, after, live, line, budget)
    return PlannedRow(
        code,
        live.wbs_code_id,
        action,
        before,
        after,
        line.line_item_id if line else None,
        reason,
        live.name,
        last,
    )


def _action(
    code: str, after: Decimal, live: LiveCode, line: LiveLine | None, budget: Budget
) -> tuple[str, str]:
    """Action and reason."""
    before = line.amount if line else None
    last = budget.last.get(code)
    if before == after:
        return "unchanged", ""
    if line is None and after == 0 and last is not None:
        return "unchanged", ""  # it is already gone
    if line and line.rows > 1:
        return "blocked", f"WBS code {code} has {line.rows} rows in Procore’s budget"
    if not live.active:
        return "blocked", f"WBS code {code} is inactive"
    if last is not None and before != last and code not in budget.overrides:
        was = "is gone from the budget" if before is None else f"is now {before:,.2f}"
        return "left", f"changed in Procore since the last handoff: was {last:,.2f}, {was}"
    if line is None and code in budget.doubtful:
        return "blocked", f"a budget row without a WBS code may already hold {code}"
    if line is None:
        return "create", ""
    if after + line.changes < 0 <= after:
        reason = f"budget changes of {line.changes:,.2f} would bring {code} below zero"
        return "blocked", reason
    return "update", gettext_noop(
        "no longer in the estimate"
    ) if code in budget.last and after == 0 else ""


def fingerprint(file_hash: bytes, rows: list[PlannedRow]) -> bytes:
    """Changes with the estimate, its mapping, and the live amounts that were read."""
    parts = [f"{row.wbs_code}|{row.before}|{row.after}|{row.action}" for row in rows]
    return hashlib.sha256(file_hash + "\n".join(parts).encode()).digest()
