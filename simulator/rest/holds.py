"""What prevents writes to a budget although the tool allows them: an ERP, a workflow."""

from simulator.rest.wire import Caller, Refusal
from simulator.wild import elsewhere


@elsewhere
def erp_holds_the_budget() -> None:
    """Budgets were sent to an ERP: their rows say so, and original amounts cannot be changed."""


@elsewhere
def workflow_holds_the_budget() -> None:
    """Budgets are in a workflow: a change fails with the sentence that says so."""


def refuse_held(caller: Caller) -> None:
    """Raises Refusal."""
    wild = caller.simulator.wild
    if wild.on(erp_holds_the_budget):
        reason = "cannot be edited while the budget is being exported to ERP"
        raise Refusal(422, {"errors": {"original_budget_amount": [reason]}})
    if wild.on(workflow_holds_the_budget):
        reason = "Budget cannot be changed because it is set via workflow."
        raise Refusal(422, {"errors": {"base": [reason]}})


def erp_status(caller: Caller) -> dict[str, str]:
    """What budget rows say about the ERP; nothing if the company has none."""
    held = caller.simulator.wild.on(erp_holds_the_budget)
    return {"erp_status": "exporting"} if held else {}
