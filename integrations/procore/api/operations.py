"""Every Procore operation that the app calls, with its credential and its reason. Pure.

The permissions that the service account requests are derived from this list (the Marketplace kit),
and the client refuses calls outside it, so the two cannot drift apart.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Access(StrEnum):
    """Procore's access levels of a tool, as a manifest names them."""

    NONE = "none"  # any token may call it
    READ = "read_only"
    STANDARD = "standard"
    ADMIN = "admin"


class As(StrEnum):
    """Whose token is used: the service account's or the viewer's."""

    SERVICE = "service"
    VIEWER = "viewer"
    BOTH = "both"


@dataclass(frozen=True)
class Operation:
    """`tool` is Procore's name of the tool whose permission the call needs; empty for none.

    `granular` names a permission within the tool that is enough instead of a higher level.
    """

    method: str
    path: str
    caller: As
    why: str
    tool: str = ""
    access: Access = Access.NONE
    granular: str = ""

    @property
    def key(self) -> str:
        return f"{self.method} {_SLOT.sub('{}', self.path)}"


class OperationUnlisted(RuntimeError):
    """A bug in Tieback, found before the call leaves: operations.py does not list it."""


_SLOT = re.compile(r"\{\w+\}")
_NUMBER = re.compile(r"(?<=/)\d+(?=/|$)")


def _reads(path: str, tool: str, why: str, caller: As = As.SERVICE) -> Operation:
    return Operation("GET", path, caller, why, tool, Access.READ)


_HOOKS = "/rest/v2.0/companies/{company_id}/webhooks"


def _hook(method: str, path: str, why: str) -> Operation:
    return Operation(method, _HOOKS + path, As.SERVICE, why, "Webhooks API", Access.STANDARD)


OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/rest/v1.0/me", As.VIEWER, "Who has signed in, and under which address"),
    Operation("GET", "/rest/v1.0/companies", As.BOTH, "At which companies the app is installed"),
    Operation(
        "GET", "/rest/v1.0/settings/permissions", As.BOTH,
        "Which tools the person may see, and what the service account may do",
    ),
    Operation(
        "GET", "/rest/v1.0/app_installations", As.SERVICE,
        "Whether an update of the app, which may bring permissions, is available",
    ),
    _reads("/rest/v1.1/projects", "Portfolio", "Names and numbers of projects", As.BOTH),
    _reads("/rest/v1.3/companies/{id}/users", "Directory", "Names beside RFIs"),
    _reads("/rest/v1.0/vendors", "Directory", "Names of vendors beside their contracts"),
    _reads("/rest/v1.0/line_item_types", "Admin", "Cost types of an estimate"),
    _reads("/rest/v1.0/companies/{id}/uoms", "Admin", "Units that a budget line may have"),
    _reads("/rest/v1.0/projects/{id}/rfis", "RFIs", "Overdue questions and what they may cost"),
    _reads("/rest/v1.1/projects/{id}/submittals", "Submittals", "Submittals past their day"),
    _reads("/rest/v1.1/change_events", "Change Events", "What changes may cost before an order"),
    _reads(
        "/rest/v1.0/change_events", "Change Events",
        "How much of a change event is in a contract, an order or the budget",
    ),
    _reads("/rest/v1.0/work_order_contracts", "Commitments", "Subcontracts against the budget"),
    _reads(
        "/rest/v1.0/work_order_contracts/{id}/line_items", "Commitments",
        "Subcontracts by WBS code",
    ),
    _reads("/rest/v1.0/purchase_order_contracts", "Commitments", "Orders against the budget"),
    _reads(
        "/rest/v1.0/purchase_order_contracts/{id}/line_items", "Commitments",
        "Purchase orders by WBS code",
    ),
    _reads(
        "/rest/v1.0/projects/{id}/commitment_change_orders", "Commitments",
        "Change orders, pending and approved",
    ),
    _reads(
        "/rest/v1.0/change_order_packages", "Commitments",
        "Change orders of projects with three tiers",
    ),
    _reads(
        "/rest/v1.0/potential_change_orders", "Commitments",
        "Changes of contracts that are in no change order yet",
    ),
    _reads("/rest/v1.1/requisitions", "Commitments", "Invoices against their contracts"),
    _reads("/rest/v1.1/projects/{id}/direct_costs", "Direct Costs", "Cost outside of contracts"),
    _reads(
        "/rest/v1.0/projects/{id}/direct_costs/line_items", "Direct Costs",
        "The same by WBS code",
    ),
    _reads("/rest/v1.0/observations/items", "Observations", "Open observations of a project"),
    _reads("/rest/v1.1/punch_items", "Punch List", "Open punch items of a project"),
    _reads(
        "/rest/v1.0/projects/{id}/work_breakdown_structure/wbs_codes", "Budget",
        "The codes that an estimate is mapped to",
    ),
    _reads("/rest/v1.0/budget_views", "Budget", "Which budget views a project has", As.BOTH),
    _reads(
        "/rest/v1.0/budget_views/{id}/budget_detail_columns", "Budget",
        "Which columns a view has, for the company's choice", As.VIEWER,
    ),
    _reads(
        "/rest/v1.0/budget_views/{id}/detail_rows", "Budget", "The current budget", As.BOTH
    ),
    _reads("/rest/v1.0/projects/{id}/budget", "Budget", "Whether the budget is locked"),
    _reads("/rest/v1.1/budget_line_items/{id}", "Budget", "A line as it was before a push"),
    Operation(
        "POST", "/rest/v1.0/budget_line_items/sync", As.BOTH,
        "Writes the approved estimate into the original budget",
        "Budget", Access.READ, "create_and_edit_original_budget_amount",
    ),
    Operation(
        "DELETE", "/rest/v2.0/companies/{id}/projects/{project_id}/budget_line_items/{line_id}",
        As.BOTH, "Undoes a line that a push has made",
        "Budget", Access.READ, "delete_budget_line_items",
    ),
    *(
        _reads(path, tool, "Whether a record is gone that its list no longer shows")
        for path, tool in (
            ("/rest/v1.3/companies/{company_id}/users/{id}", "Directory"),
            ("/rest/v1.0/vendors/{id}", "Directory"),
            ("/rest/v1.0/line_item_types/{id}", "Admin"),
            ("/rest/v1.0/projects/{project_id}/rfis/recycle_bin", "RFIs"),
            ("/rest/v1.0/projects/{project_id}/rfis/{id}", "RFIs"),
            ("/rest/v1.1/projects/{project_id}/submittals/{id}", "Submittals"),
            ("/rest/v1.1/change_events/{id}", "Change Events"),
            ("/rest/v1.0/change_events/{id}", "Change Events"),
            ("/rest/v1.0/change_order_packages/{id}", "Commitments"),
            ("/rest/v1.0/potential_change_orders/{id}", "Commitments"),
            ("/rest/v1.0/work_order_contracts/{id}", "Commitments"),
            ("/rest/v1.0/work_order_contracts/{contract_id}/line_items/{id}", "Commitments"),
            ("/rest/v1.0/purchase_order_contracts/{id}", "Commitments"),
            ("/rest/v1.0/purchase_order_contracts/{contract_id}/line_items/{id}", "Commitments"),
            ("/rest/v1.0/projects/{project_id}/commitment_change_orders/{id}", "Commitments"),
            ("/rest/v1.1/requisitions/{id}", "Commitments"),
            ("/rest/v1.1/projects/{project_id}/direct_costs/{id}", "Direct Costs"),
            (
                "/rest/v1.0/projects/{project_id}/direct_costs/{direct_cost_id}/line_items/{id}",
                "Direct Costs",
            ),
            ("/rest/v1.0/observations/items/{id}", "Observations"),
            ("/rest/v1.1/punch_items/{id}", "Punch List"),
        )
    ),
    _hook("GET", "/resources", "Which events Procore can send"),
    _hook("GET", "/hooks", "Whether our webhook is set up correctly"),
    _hook("POST", "/hooks", "Registers the webhook"),
    _hook("PATCH", "/hooks/{id}", "Renews its secret"),
    _hook("DELETE", "/hooks/{id}", "Removes a duplicate, or the last one at an uninstall"),
    _hook("GET", "/hooks/{id}/triggers", "Which events it sends"),
    _hook("POST", "/hooks/{id}/triggers/bulk", "Adds the missing ones"),
    _hook("GET", "/hooks/{id}/deliveries", "Events that never arrived"),
)  # fmt: skip

_KNOWN = {operation.key: operation for operation in OPERATIONS}


@lru_cache(maxsize=4096)
def operation_of(method: str, path: str) -> Operation:
    """The listed operation of a call. Raises OperationUnlisted."""
    found = _KNOWN.get(f"{method} {_NUMBER.sub('{}', path)}")
    if found is None:
        raise OperationUnlisted(f"{method} {_NUMBER.sub('{id}', path)} is not in operations.py")
    return found


def permissions(operations: Iterable[Operation] = OPERATIONS) -> dict[str, list[Operation]]:
    """What the service account needs: the operations of each tool."""
    found: dict[str, list[Operation]] = {}
    for operation in operations:
        if operation.tool and operation.caller is not As.VIEWER:
            found.setdefault(operation.tool, []).append(operation)
    return found
