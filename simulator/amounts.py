"""Switches about money: totals empty for days, lost links, and two currencies at once."""

import random
from typing import Any

from simulator.wild import Spot, on_record

OFTEN, SELDOM = 0.5, 0.15
HEADERS = ("work_order_contracts", "purchase_order_contracts", "direct_costs")
LINKS = (
    "contract", "statuses", "commitment_contract_cost", "commitment_pco_cost", "budget_mod",
    "budget_mod_amount",
)  # fmt: skip


@on_record(OFTEN)
def empty_headers(record: dict[str, Any], spot: Spot, _draw: random.Random) -> None:
    """A contract's or direct cost's own amounts are null while its lines have them."""
    if spot.tool in HEADERS and "grand_total" in record and not spot.field:
        for name in ("grand_total", "amount", "approved_change_orders", "pending_change_orders"):
            if name in record:
                record[name] = None


@on_record(OFTEN)
def events_without_links(record: dict[str, Any], spot: Spot, _draw: random.Random) -> None:
    """The lines of a change event name no contract, order or budget change: links are lost."""
    if spot.tool == "change_events":
        for line in record.get("change_event_line_items") or []:
            for name in LINKS:
                if isinstance(line, dict):
                    line.pop(name, None)


@on_record(SELDOM)
def two_currencies(record: dict[str, Any], spot: Spot, _draw: random.Random) -> None:
    """A line of a contract or direct cost is in euros, whatever else its code has."""
    if spot.tool == "line_items" and isinstance(record.get("currency_configuration"), dict):
        record["currency_configuration"] = {"currency_iso_code": "EUR"}
