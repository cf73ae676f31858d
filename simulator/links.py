"""Links of change events to contracts, orders and budget changes; projects with three tiers.

Links never change an event's status: it stays open after its order is executed.
"""

import random
from decimal import Decimal
from typing import Any

from simulator.world import Project, Record, World

EVERY = 4  # one project in four has three tiers
ORDERED, PARTLY, BUDGETED = 1, 3, 5  # positions within each eight change events


def link_to_order(contract: Record, cost: str, status: str) -> Record:
    """The parts of a line in v1.0 whose cost is in a commitment change order."""
    return {
        "contract": _named(contract),
        "commitment_pco_cost": cost,
        "statuses": {"contract": contract["status"], "commitment_pco_cost": status},
    }


def link_to_contract(contract: Record, cost: str) -> Record:
    """The parts of a line in v1.0 whose cost is in the contract itself."""
    return {
        "contract": _named(contract),
        "commitment_contract_cost": cost,
        "statuses": {"contract": contract["status"]},
    }


def link_to_budget(amount: str) -> Record:
    """The parts of a line in v1.0 of which a budget change covers this amount."""
    return {"budget_mod_amount": amount, "budget_mod": {"transfer_amount": amount}}


def link_some(project: Project) -> None:
    """A mix like a real project's: ordered wholly or partly, covered by the budget, or not."""
    contracts = {**project.work_order_contracts, **project.purchase_order_contracts}
    orders = [
        order for order in project.change_orders.values() if order["contract_id"] in contracts
    ]
    counted = [row for row in contracts.values() if row["status"] in {"Approved", "Complete"}]
    for place, event in enumerate(project.change_events.values()):
        items = event["change_items"]
        first = items[0]["latest_cost_values"]["amount"]
        if place % 8 == ORDERED and orders:
            order = orders[place % len(orders)]
            contract = contracts[order["contract_id"]]
            for item in items:
                cost = item["latest_cost_values"]["amount"]
                link = link_to_order(contract, cost, order["status"])
                project.event_links[item["id"]] = link
        elif place % 8 == PARTLY and counted:
            contract = counted[place % len(counted)]
            project.event_links[items[0]["id"]] = link_to_contract(contract, first)
        elif place % 8 == BUDGETED:
            half = str((Decimal(first) / 2).quantize(Decimal("0.01")))
            project.event_links[items[0]["id"]] = link_to_budget(half)


def to_three_tiers(world: World, project: Project) -> None:
    """Approved change orders become packages, the others potential change orders.

    Each package holds a potential change order of the same amount, which counts nowhere else.
    """
    project.change_order_tiers = 3
    draw = random.Random(project.id)
    for order in list(project.change_orders.values()):
        potential = _potential(world, order)
        if order["status"] == "approved":
            package = _package(world, order, draw.randrange(1, 9))
            potential["change_order_package_title"] = package["title"]
            project.change_order_packages[package["id"]] = package
        project.potential_change_orders[potential["id"]] = potential
    project.change_orders.clear()


def orders_of(project: Project, contract_id: int) -> list[Record]:
    """All orders that change the contract, each once, by the tiers of its project."""
    loose = [
        row
        for row in project.potential_change_orders.values()
        if "change_order_package_title" not in row
    ]
    every = [*project.change_orders.values(), *project.change_order_packages.values(), *loose]
    return [row for row in every if row["contract_id"] == contract_id and "deleted_at" not in row]


def _named(contract: Record) -> Record:
    number, title = contract["number"], contract["title"]
    return {"id": contract["id"], "number": number, "title": title, "name": f"{number} {title}"}


def _kept(order: Record, names: str) -> Record:
    return {name: order[name] for name in names.split()}


SHARED = "contract_id number revision title status executed grand_total custom_fields created_at"


def _potential(world: World, order: Record) -> Record:
    return {
        **_kept(order, SHARED + " updated_at currency_configuration x_unlisted"),
        "id": world.new_id(),
        "change_reason": order["change_order_change_reason"]["change_reason"],
        "change_order_tiers": 3,
        "created_by_id": order["created_by"]["id"],
        "schedule_impact_amount": 0,
    }


def _package(world: World, order: Record, number: int) -> Record:
    reviewer: dict[str, Any] = order["designated_reviewer"]
    return {
        **_kept(order, SHARED + " updated_at currency_configuration x_unlisted"),
        "id": world.new_id(),
        "title": f"Package {number}: {order['title']}",
        "created_by_id": order["created_by"]["id"],
        "designated_reviewer": reviewer,
    }
