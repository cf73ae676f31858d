"""Recomputes every metric from the files of `manage.py export_company`, and from nothing else.

    python tools/recompute_metrics.py FOLDER [--day 2026-01-31]

Prints one JSON document: project id → currency → metric → value. It imports nothing of Tieback, so
that whoever doubts a figure in the frame can check it, and read here how it is made.
"""

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Row = dict[str, Any]  # as the files hold it
ZERO, CENT, TENTH = Decimal(0), Decimal("0.01"), Decimal("0.1")
COMMITTED = {
    "Approved", "Complete", "Processing", "Submitted", "Partially Received", "Received", "Closed",
}  # fmt: skip
PENDING = {"draft", "pricing", "pending", "revised", "proceeding", "not_proceeding"}
RAILS_ZONES = {
    "Central Time (US & Canada)": "America/Chicago",
    "Eastern Time (US & Canada)": "America/New_York",
    "Mountain Time (US & Canada)": "America/Denver",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Indiana (East)": "America/Indiana/Indianapolis",
}
SUMS = (
    "original_budget", "budget_changes", "committed", "direct_costs", "pending_changes",
    "over_commitment", "buyout_gap", "covered_budget", "invoiced", "invoiced_over",
    "open_event_cost",
)  # fmt: skip
LATELY = 365  # days of answered questions that count
PLAUSIBLE_YEARS = range(1900, 2200)
WORKDAYS = 5
EVENT_DAYS = 14  # unless the company has set another number


def main() -> int:
    parser = argparse.ArgumentParser(prog="recompute_metrics", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--day", type=date.fromisoformat, help="instead of today in each project")
    arguments = parser.parse_args()
    company = Company(arguments.folder)
    answer = {key: company.metrics(key, arguments.day) for key in company.projects}
    print(json.dumps(answer, default=str))
    return 0


class Company:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = datetime.now(UTC)  # noqa: TID251  # stands alone, has no clock of ours
        self.projects = {row["id"]: row["fields"] for row in self._lines("projects")}
        self.rows = {
            name: self._by_project(name)
            for name in (
                "budget_rows", "commitments", "commitment_line_items", "change_orders",
                "direct_costs", "direct_cost_line_items", "requisitions", "change_events", "rfis",
                "submittals", "handoffs", "handoff_rows",
            )
        }  # fmt: skip
        own = [row["fields"] for row in self._lines("exception_settings")]
        self.event_days = own[0]["event_days"] if own else EVENT_DAYS

    def metrics(self, project: int, day: date | None) -> dict[str, Row]:
        zone = zone_of(self.projects[project]["time_zone"])
        today = day or self.now.astimezone(zone).date()
        start = self.projects[project]["start_date"]
        codes = self._codes(project)
        contracts = self._contracts(project)
        main = main_currency(codes, contracts)
        found: dict[str, Row] = {}
        for currency in {main, *(currency for _, currency in codes)}:
            rows = [sums for (_, of), sums in codes.items() if of == currency]
            found[currency] = cost_metrics(rows, started=start is not None and start <= str(today))
        self._invoices(contracts, found)
        self._events(project, found)
        own = found[main]
        own |= self._questions(project, zone, today)
        own |= self._late(project, zone, today)
        own |= self._drift(project)
        return found

    def _codes(self, project: int) -> dict[tuple[int, str], dict[str, Decimal]]:
        """O, M of the budget; C, P of contracts and their change orders; D of direct costs."""
        codes: dict[tuple[int, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for row in self.rows["budget_rows"][project]:
            own = codes[row["wbs_code_id"] or 0, row["currency"] or "USD"]
            own["O"] += amount(row["original_budget_amount"])
            own["M"] += amount(row["budget_modifications"])
        lines: dict[int, dict[tuple[int, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for row in self.rows["commitment_line_items"][project]:
            lines[row["contract_id"]][row["wbs_code_id"] or 0, row["currency"]] += amount(
                row["amount"]
            )
        for key, contract in self._contracts(project).items():
            own_lines = dict(sorted(lines[key].items())) or {(0, contract["currency"]): ZERO}
            approved = contract["approved"] if contract["status"] in COMMITTED else ZERO
            weights = list(own_lines.values())
            for (code, line), more, pending in zip(
                own_lines.items(),
                spread(approved, weights),
                spread(contract["pending"], weights),
                strict=True,
            ):
                where = code[0], code[1] or contract["currency"]
                if contract["status"] in COMMITTED:
                    codes[where]["C"] += line + more
                if pending:
                    codes[where]["P"] += pending
        approved_costs = {
            row["id"] for row in self.rows["direct_costs"][project] if row["status"] == "approved"
        }
        for row in self.rows["direct_cost_line_items"][project]:
            if row["direct_cost_id"] in approved_costs:
                own = codes[row["wbs_code_id"] or 0, row["currency"] or "USD"]
                own["D"] += amount(row["amount"])
        return codes

    def _contracts(self, project: int) -> dict[int, Row]:
        found = {
            row["id"]: {
                "status": row["status"],
                "currency": row["currency"] or "USD",
                "total": amount(row["grand_total"]),
                "approved": ZERO,
                "pending": ZERO,
                "invoiced": ZERO,
            }
            for row in self.rows["commitments"][project]
        }
        for row in self.rows["change_orders"][project]:
            kind = "approved" if row["status"] == "approved" else "pending"
            known = row["status"] == "approved" or row["status"] in PENDING
            if row["contract_id"] in found and known:
                found[row["contract_id"]][kind] += amount(row["grand_total"])
        for row in self.rows["requisitions"][project]:
            if row["contract_id"] in found and row["status"] == "approved":
                found[row["contract_id"]]["invoiced"] += amount(row["total_claimed_amount"])
        return found

    def _invoices(self, contracts: dict[int, Row], found: dict[str, Row]) -> None:
        for contract in contracts.values():
            own = found.setdefault(contract["currency"], cost_metrics([], started=False))
            over = contract["invoiced"] - contract["total"] - contract["approved"]
            own["invoiced"] += contract["invoiced"]
            own["invoiced_over"] += max(ZERO, over)

    def _events(self, project: int, found: dict[str, Row]) -> None:
        for row in self.rows["change_events"][project]:
            if row["status"] == "Open":
                own = found.setdefault(row["currency"] or "USD", cost_metrics([], started=False))
                own["open_event_cost"] += amount(row["latest_cost"])

    def _questions(self, project: int, zone: ZoneInfo, today: date) -> Row:
        rfis = self.rows["rfis"][project]
        waiting = [row for row in rfis if row["status"] == "open"]
        answered = [
            row
            for row in rfis
            if row["status"] != "open"
            and row["time_resolved"]
            and (self.now - datetime.fromisoformat(row["time_resolved"])).days <= LATELY
        ]
        return {
            "open_rfis": len(waiting),
            "overdue_rfis": sum(1 for r in waiting if r["due_date"] and r["due_date"] < str(today)),
            "rfis_cost_unknown": sum(
                1
                for r in waiting
                if r["cost_impact_status"].startswith("yes") and not amount(r["cost_impact"])
            ),
            "rfi_cost": sum((amount(r["cost_impact"]) for r in waiting), ZERO),
            "rfi_age": median((local(r["initiated_at"], zone), today) for r in waiting),
            "rfi_turnaround": median(
                (local(r["initiated_at"], zone), local(r["time_resolved"], zone)) for r in answered
            ),
        }

    def _late(self, project: int, zone: ZoneInfo, today: date) -> Row:
        rows = self.rows["submittals"][project]
        waiting = [row for row in rows if row["status"] == "Open"]
        late = [row for row in waiting if row["due_date"] and row["due_date"] < str(today)]
        late += [
            row
            for row in rows
            if row["status"] == "Draft" and row["submit_by"] and row["submit_by"] < str(today)
        ]
        events = [
            row
            for row in self.rows["change_events"][project]
            if row["status"] not in {"Closed", "Void"}
        ]
        without = [
            row
            for row in events
            if row["status"] == "Open"
            and (begun := local(row["created_on"], zone))
            and (today - begun).days > self.event_days
        ]
        return {
            "open_submittals": len(waiting),
            "late_submittals": len(late),
            "submittal_age": median((local(r["created_on"], zone), today) for r in waiting),
            "open_events": len(events),
            "events_without_order": len(without),
        }

    def _drift(self, project: int) -> Row:
        """Of the newest handoff that stands: what it wrote against what the budget says now."""
        standing = [h for h in self.rows["handoffs"][project] if h["state"] in {"done", "partial"}]
        if not standing:
            return {"handoff_drift": None}
        newest = max(standing, key=lambda handoff: handoff["created_at"])
        live = {
            row["wbs_code_id"]: amount(row["original_budget_amount"])
            for row in self.rows["budget_rows"][project]
            if not row["unbudgeted_reason"]
        }
        rows = [
            row
            for row in self.rows["handoff_rows"][0]
            if row["handoff"] == newest["id"] and row["state"] == "confirmed"
        ]
        gaps = (abs(live.get(row["wbs_code_id"], ZERO) - amount(row["after"])) for row in rows)
        return {"handoff_drift": sum(gaps, ZERO)}

    def _by_project(self, name: str) -> dict[int, list[Row]]:
        found: dict[int, list[Row]] = defaultdict(list)
        for row in self._lines(name):
            found[row["project_id"] or 0].append({"id": row["id"], **row["fields"]})
        return found

    def _lines(self, name: str) -> list[Row]:
        path = self.folder / f"{name}.jsonl"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def cost_metrics(rows: list[dict[str, Decimal]], *, started: bool) -> Row:
    found: Row = dict.fromkeys(SUMS, ZERO)
    for row in rows:
        budget, spent = row["O"] + row["M"], row["C"] + row["D"]
        found["original_budget"] += row["O"]
        found["budget_changes"] += row["M"]
        found["committed"] += row["C"]
        found["direct_costs"] += row["D"]
        found["pending_changes"] += row["P"]
        found["over_commitment"] += max(ZERO, spent - budget)
        if row["C"] > 0 or started:
            found["buyout_gap"] += max(ZERO, budget - spent)
        if row["C"] > 0 or row["D"] > 0:
            found["covered_budget"] += budget
    return found


def main_currency(
    codes: dict[tuple[int, str], dict[str, Decimal]], contracts: dict[int, Row]
) -> str:
    """The budget's; without a budget, that of most contracts."""
    every = [currency for (_, currency), sums in codes.items() if sums["O"] or sums["M"]]
    every = every or [contract["currency"] for contract in contracts.values()] or ["USD"]
    return max(sorted(set(every)), key=every.count)


def spread(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """In proportion, to the cent; the largest part takes what is left over."""
    whole = sum(weights, ZERO)
    if not whole:
        return [total] + [ZERO] * (len(weights) - 1)
    parts = [(total * weight / whole).quantize(CENT) for weight in weights]
    sizes = [abs(part) for part in parts]
    parts[sizes.index(max(sizes))] += total - sum(parts, ZERO)
    return parts


def median(spans: Iterable[tuple[date | None, date | None]]) -> Decimal | None:
    days = [business_days(begin, end) for begin, end in spans if begin and end]
    return Decimal(statistics.median(days)).quantize(TENTH) if days else None


def business_days(begin: date, end: date) -> int:
    days = (begin + timedelta(days=n) for n in range(1, (end - begin).days + 1))
    return sum(1 for day in days if day.weekday() < WORKDAYS)


def local(stamp: str | None, zone: ZoneInfo) -> date | None:
    """None also where the year is a mistake."""
    moment = datetime.fromisoformat(stamp) if stamp else None
    if moment is None or moment.year not in PLAUSIBLE_YEARS:
        return None
    return moment.astimezone(zone).date()


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(RAILS_ZONES.get(name, name) or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def amount(value: object) -> Decimal:
    return ZERO if value is None else Decimal(str(value))


if __name__ == "__main__":
    sys.exit(main())
