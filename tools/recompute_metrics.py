"""Recomputes every metric from the files of `manage.py export_company`, and from nothing else.

python tools/recompute_metrics.py FOLDER [--day 2026-01-31]

Prints one JSON document: project id → currency → metric → value. It imports nothing from Tieback,
so anyone who doubts a figure can check it here and read how it is computed.
"""

import argparse
import json
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Row = dict[str, Any]  # as in the files
ZERO, CENT, TENTH = Decimal(0), Decimal("0.01"), Decimal("0.1")
# Statuses in lower case, their words joined by underscores.
COMMITTED = {
    "approved", "complete", "processing", "submitted", "partially_received", "received", "closed",
}  # fmt: skip
NOT_COMMITTED = {"draft", "out_for_bid", "out_for_signature", "terminated", "void"}
PENDING = {
    "draft", "pricing", "not_pricing", "pending", "pending_billable", "revised", "proceeding",
    "not_proceeding",
}  # fmt: skip
REFUSED = {"rejected", "no_charge", "void"}
NOT_SPENT = {"draft", "pending", "revise_and_resubmit", "void"}
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
    "open_event_cost", "budget_relief", "maybe_ordered", "not_covered", "unknown_cost",
)  # fmt: skip
LATELY = 365  # days: RFIs resolved within them count for the turnaround
PLAUSIBLE_YEARS = range(1900, 2200)
WORKDAYS = 5
EVENT_DAYS = 14  # the default; a company may set another number


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
        self.now = datetime.now(UTC)  # noqa: TID251  # standalone, without our clock
        self.projects = {row["id"]: row["fields"] for row in self._lines("projects")}
        self.rows = {
            name: self._by_project(name)
            for name in (
                "budget_rows", "commitments", "commitment_line_items", "change_orders",
                "change_order_packages", "potential_change_orders", "direct_costs",
                "direct_cost_line_items", "requisitions", "change_events", "change_event_lines",
                "rfis", "submittals", "handoffs", "handoff_rows",
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
        self._of_contracts(contracts, found)
        self._events(project, contracts, codes, found)
        self._relief(codes, found)
        self._unknown(project, contracts, found)
        own = found[main]
        own |= self._questions(project, zone, today)
        own |= self._late(project, zone, today)
        own |= self._drift(project)
        return found

    def _codes(self, project: int) -> dict[tuple[int, str], dict[str, Decimal]]:
        """O, M, W: budget; C, P: contracts and their change orders; D: direct costs."""
        codes: dict[tuple[int, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for row in self.rows["budget_rows"][project]:
            own = codes[row["wbs_code_id"] or 0, row["currency"] or "USD"]
            own["O"] += amount(row["original_budget_amount"])
            own["M"] += amount(row["budget_modifications"])
            own["W"] += amount(row["pending_budget_changes"])
        for contract in self._contracts(project).values():
            committed = contract["status"] in COMMITTED
            weights = [line for _, line in contract["lines"]]
            approved = contract["approved"] if committed else ZERO
            for (where, line), more, pending in zip(
                contract["lines"],
                spread(approved, weights),
                spread(contract["pending"], weights),
                strict=True,
            ):
                if committed:
                    codes[where]["C"] += line + more
                if pending:
                    codes[where]["P"] += pending
        status = self._cost_statuses(project)
        for row in self.rows["direct_cost_line_items"][project]:
            if status.get(row["direct_cost_id"]) == "approved":
                own = codes[row["wbs_code_id"] or 0, row["currency"] or "USD"]
                own["D"] += amount(row["amount"])
        return codes

    def _cost_statuses(self, project: int) -> dict[int, str]:
        return {row["id"]: plain(row["status"]) for row in self.rows["direct_costs"][project]}

    def _contracts(self, project: int) -> dict[int, Row]:
        """Each contract with its lines (its total if it has none) and each change order once."""
        lines: dict[int, dict[tuple[int, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for row in self.rows["commitment_line_items"][project]:
            if row["amount"] is not None:
                where = row["wbs_code_id"] or 0, row["currency"]
                lines[row["contract_id"]][where] += amount(row["amount"])
        found: dict[int, Row] = {}
        for row in self.rows["commitments"][project]:
            currency = row["currency"] or "USD"
            own = [
                ((c, of or currency), sum_) for (c, of), sum_ in sorted(lines[row["id"]].items())
            ]
            total = sum((sum_ for _, sum_ in own), ZERO) if own else amount(row["grand_total"])
            found[row["id"]] = {
                "status": plain(row["status"]),
                "currency": currency,
                "total": total,
                "lines": own or [((0, currency), total)],
                "approved": ZERO,
                "pending": ZERO,
                "unknown": ZERO,
                "invoiced": ZERO,
                "says": (row["approved_change_orders"], row["pending_change_orders"],
                         row["draft_change_orders_amount"]),
            }  # fmt: skip
        for contract, kind, sum_, _ in self._orders(project):
            if contract in found and kind:
                found[contract][kind] += sum_
        for row in self.rows["requisitions"][project]:
            if row["contract_id"] in found and plain(row["status"]) == "approved":
                found[row["contract_id"]]["invoiced"] += amount(row["total_claimed_amount"])
        return found

    def _orders(self, project: int) -> list[tuple[int, str, Decimal, str]]:
        """Contract, what it counts as (empty: nothing), amount, currency; each change once."""
        orders = self.rows["change_orders"][project]
        same = {row["package_id"] for row in orders}
        every = [(row, False) for row in orders]
        packages = self.rows["change_order_packages"][project]
        every += [(row, False) for row in packages if row["id"] not in same]
        potential = self.rows["potential_change_orders"][project]
        every += [(row, True) for row in potential if not row["package"]]
        found = []
        for row, is_potential in every:
            status = plain(row["status"])
            kind = "" if status in REFUSED else "pending" if status in PENDING else "unknown"
            if status == "approved":
                kind = "pending" if is_potential else "approved"
            sum_ = amount(row["grand_total"])
            found.append((row["contract_id"], kind, sum_, row["currency"] or "USD"))
        return found

    def _of_contracts(self, contracts: dict[int, Row], found: dict[str, Row]) -> None:
        for contract in contracts.values():
            own = found.setdefault(contract["currency"], cost_metrics([], started=False))
            over = contract["invoiced"] - contract["total"] - contract["approved"]
            own["invoiced"] += contract["invoiced"]
            own["invoiced_over"] += max(ZERO, over)
            approved, pending, draft = contract["says"]
            if approved is not None:
                own["not_covered"] += max(ZERO, amount(approved) - contract["approved"])
            if pending is not None:
                said = amount(pending) + amount(draft)
                own["not_covered"] += max(ZERO, said - contract["pending"])

    def _events(
        self,
        project: int,
        contracts: dict[int, Row],
        codes: dict[tuple[int, str], dict[str, Decimal]],
        found: dict[str, Row],
    ) -> None:
        """Adds the cost of open events in no contract, order or budget change, by line links."""
        live = [order for order in self._orders(project) if order[1] in {"approved", "pending"}]
        live = [order for order in live if order[0] in contracts]
        linked_to = {key for key, row in contracts.items() if row["status"] in COMMITTED}
        linked_to |= {contract for contract, *_ in live}
        lines: dict[int, list[Row]] = defaultdict(list)
        for row in self.rows["change_event_lines"][project]:
            lines[row["event_id"]].append(row)
        named = sum((amount(row["order_cost"]) for own in lines.values() for row in own), ZERO)
        nameless = sum((order[2] for order in live), ZERO) > named
        for row in self.rows["change_events"][project]:
            if plain(row["status"]) in {"closed", "void"}:
                continue
            own = found.setdefault(row["currency"] or "USD", cost_metrics([], started=False))
            parts = [open_part(line, linked_to) for line in lines[row["id"]]]
            for line, (left, _) in zip(lines[row["id"]], parts, strict=True):
                if (where := (line["wbs_code_id"] or 0, row["currency"] or "USD")) in codes:
                    codes[where]["E"] += left
            latest = amount(row["latest_cost"])
            if any(is_linked for _, is_linked in parts):
                own["open_event_cost"] += within(latest, sum((left for left, _ in parts), ZERO))
            else:
                own["open_event_cost"] += latest
                own["maybe_ordered"] += latest if nameless else ZERO

    def _relief(
        self, codes: dict[tuple[int, str], dict[str, Decimal]], found: dict[str, Row]
    ) -> None:
        """Pending budget changes, up to what is pending on the same codes."""
        for (code, currency), sums in codes.items():
            if code:
                relief = max(ZERO, min(sums["P"] + sums["E"], sums["W"]))
                found[currency]["budget_relief"] += relief

    def _unknown(self, project: int, contracts: dict[int, Row], found: dict[str, Row]) -> None:
        """Sums amounts of records with an unknown status."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for contract in contracts.values():
            if contract["status"] not in COMMITTED | NOT_COMMITTED:
                sums[contract["currency"]] += contract["total"] + contract["approved"]
        for contract_id, kind, sum_, currency in self._orders(project):
            if kind == "unknown" and contract_id in contracts:
                sums[currency] += sum_
        status = self._cost_statuses(project)
        for row in self.rows["direct_cost_line_items"][project]:
            if status.get(row["direct_cost_id"], "approved") not in {"approved", *NOT_SPENT}:
                sums[row["currency"] or "USD"] += amount(row["amount"])
        for currency, sum_ in sums.items():
            own = found.setdefault(currency, cost_metrics([], started=False))
            own["unknown_cost"] += sum_

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
            if plain(row["status"]) not in {"closed", "void"}
        ]
        without = [
            row
            for row in events
            if plain(row["status"]) == "open"
            and not self._all_ordered(project, row["id"])
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

    def _all_ordered(self, project: int, event: int) -> bool:
        """Whether its links place the event's whole cost in a contract, an order or the budget."""
        contracts = self._contracts(project)
        linked_to = {key for key, row in contracts.items() if row["status"] in COMMITTED}
        linked_to |= {
            contract
            for contract, kind, *_ in self._orders(project)
            if kind in {"approved", "pending"} and contract in contracts
        }
        lines = [r for r in self.rows["change_event_lines"][project] if r["event_id"] == event]
        parts = [open_part(line, linked_to) for line in lines]
        return any(is_linked for _, is_linked in parts) and not sum(left for left, _ in parts)

    def _drift(self, project: int) -> Row:
        """The difference between what the newest valid handoff wrote and the budget now."""
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


def open_part(line: Row, linked_to: set[int]) -> tuple[Decimal, bool]:
    """The open part of a change event's line, and whether the line is linked to anything."""
    in_order = bool(amount(line["order_cost"])) and plain(line["order_status"]) not in REFUSED
    if in_order or line["contract_id"] in linked_to:
        return ZERO, True
    cost, covered = amount(line["cost"]), amount(line["budget_change"])
    return within(cost, cost - covered), bool(covered)


def within(limit: Decimal, part: Decimal) -> Decimal:
    """Clamps `part` between zero and `limit`, which may be negative."""
    low, high = min(limit, ZERO), max(limit, ZERO)
    return min(high, max(low, part))


def plain(status: str) -> str:
    return "_".join(re.findall("[a-z0-9]+", status.lower()))


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
    """The budget's currency; without a budget, that of most contracts."""
    every = [currency for (_, currency), sums in codes.items() if sums["O"] or sums["M"]]
    every = every or [contract["currency"] for contract in contracts.values()] or ["USD"]
    return max(sorted(set(every)), key=every.count)


def spread(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Spreads in proportion, to the cent; the largest part takes the rest."""
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
    """Also None for an implausible year."""
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
