"""What a budget view's columns hold for each WBS code, summed from the project's records.

A change order has no lines here: its amount is spread over its contract's codes in proportion, in
cents; the largest share takes the cents left over.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from simulator.links import orders_of
from simulator.world import Project, Record

CENT, ZERO = Decimal("0.01"), Decimal("0.00")
CURRENCY = "USD"  # of a project's budget; costs in other currencies are in no column
SIGNED = {
    "Approved", "Complete", "Processing", "Submitted", "Partially Received", "Received", "Closed",
}  # fmt: skip
UNDECIDED = {"draft", "pricing", "pending", "revised", "proceeding", "not_proceeding"}
Amounts = dict[str, Decimal]  # by column
Shares = dict[int, Decimal]  # by WBS code


def columns_by_code(project: Project) -> dict[int, Amounts]:
    """By WBS code: codes with a budget line or a cost."""
    found: dict[int, Amounts] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for line in project.budget_line_items.values():
        own = found[line["wbs_code_id"]]
        own["original_budget_amount"] += line.get("original_budget_amount") or ZERO
        own["budget_modifications"] += line["budget_modifications"]
        own["pending_budget_changes"] += line.get("pending_budget_changes", ZERO)
    for code in project.unbudgeted:
        found[code]["original_budget_amount"] += ZERO
    for contract in _contracts(project):
        _add_contract(found, project, contract)
    for line in _spent(project):
        found[line["wbs_code"]["id"]]["direct_costs"] += Decimal(line["amount"])
    return {code: _completed(own) for code, own in found.items()}


def _completed(own: Amounts) -> Amounts:
    """Adds the columns that are computed from others."""
    revised = own["original_budget_amount"] + own["budget_modifications"] + own["approved_cos"]
    budget = revised + own["pending_budget_changes"]
    costs = own["committed_costs"] + own["direct_costs"] + own["pending_cost_changes"]
    forecast = max(ZERO, budget - costs)
    computed = {
        "revised_budget": revised,
        "projected_budget": budget,
        "projected_costs": costs,
        "job_to_date_costs": own["direct_costs"] + own["invoiced"],
        "forecast_to_complete": forecast,
        "estimated_cost_at_completion": costs + forecast,
        "projected_over_under": budget - costs - forecast,
    }
    return {**own, **computed}


def _add_contract(found: dict[int, Amounts], project: Project, contract: Record) -> None:
    lines: Shares = defaultdict(lambda: ZERO)
    for line in project.commitment_line_items.values():
        if line["holder"]["id"] == contract["id"] and line.get("wbs_code"):
            lines[line["wbs_code"]["id"]] += Decimal(line["amount"])
    approved = undecided = invoiced = ZERO
    for order in orders_of(project, contract["id"]):
        amount = Decimal(order["grand_total"])
        decided = order["id"] not in project.potential_change_orders
        if order["status"] == "approved" and decided:
            approved += amount
        elif order["status"] in {"approved", *UNDECIDED}:
            undecided += amount
    for invoice in project.requisitions.values():
        if invoice["commitment_id"] == contract["id"] and invoice["status"] == "approved":
            invoiced += Decimal(invoice["total_claimed_amount"])
    if contract["status"] in SIGNED:
        for shares in (lines, _shared(approved, lines)):
            for code, amount in shares.items():
                found[code]["committed_costs"] += amount
    for column, amount in (("pending_cost_changes", undecided), ("invoiced", invoiced)):
        for code, share in _shared(amount, lines).items():
            found[code][column] += share


def _shared(amount: Decimal, lines: Shares) -> Shares:
    whole = sum(lines.values(), ZERO)
    if not amount or not whole:
        return {}
    shares = {code: (amount * lines[code] / whole).quantize(CENT) for code in sorted(lines)}
    largest = max(shares, key=lambda code: abs(shares[code]))
    shares[largest] += amount - sum(shares.values(), ZERO)
    return shares


def _contracts(project: Project) -> Iterator[Record]:
    for rows in (project.work_order_contracts, project.purchase_order_contracts):
        for contract in rows.values():
            if not contract.get("deleted_at") and _in_currency(contract):
                yield contract


def _spent(project: Project) -> Iterator[Record]:
    approved = {key for key, cost in project.direct_costs.items() if cost["status"] == "approved"}
    for line in project.direct_cost_line_items.values():
        if line["holder"]["id"] in approved and line.get("wbs_code") and _in_currency(line):
            yield line


def _in_currency(record: Record) -> bool:
    currency = (record.get("currency_configuration") or {}).get("currency_iso_code")
    return currency in {None, CURRENCY}
