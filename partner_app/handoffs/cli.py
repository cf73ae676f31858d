"""The four steps of manage.py handoff: for an operator, in one process, with the app's rights."""

from integrations.procore.api.client import ProcoreClient
from partner_app.connections.access import app_client
from partner_app.connections.purposes import CallPurpose
from partner_app.handoffs import decisions
from partner_app.handoffs.errors import NotApproved, NothingToUndo
from partner_app.handoffs.models import Handoff, HandoffState, Task
from partner_app.handoffs.plan import make_plan
from partner_app.handoffs.proof import prove_write
from partner_app.handoffs.push import reconcile
from partner_app.handoffs.record import hindrances
from partner_app.handoffs.selectors import counts, newest_handoff
from partner_app.handoffs.states import WRITTEN
from partner_app.handoffs.work import run_here
from partner_app.tenancy.context import tenant

Answer = dict[str, object]
OPERATOR = decisions.OPERATOR
NOT_PROVED = "Procore does not confirm that the service account may edit this budget"
PUSHABLE = (
    HandoffState.APPROVED,
    HandoffState.PUSHING,
    HandoffState.PARTIAL,
    HandoffState.DONE,
)


def plan_handoff(*, company_id: int, estimate_id: str) -> Answer:
    """The diff against the current budget. Raises ProcoreError, EstimateUnknown."""
    client = app_client(company_id, CallPurpose.PUSH)
    handoff = make_plan(
        company_id=company_id, estimate_id=estimate_id, client=client, actor=OPERATOR
    )
    proof = prove_write(client, handoff.project_id)
    with tenant(company_id):
        answer = _answer(handoff, client)
        reasons = hindrances(handoff)
    if not proof.proved:
        reasons.append(f"{NOT_PROVED}: {proof.found}")
    return {**answer, "write_permission": proof.as_json(), "reasons": reasons}


def approve_handoff(*, company_id: int, estimate_id: str) -> Answer:
    """The operator's approval, after the app's own right to write is proved.

    Raises NoPlan, NotNow, PlanIsBlocked, PlanIsStale, WriteNotProved, ProcoreError.
    """
    client = app_client(company_id)
    with tenant(company_id):
        handoff = newest_handoff(estimate_id)
    proof = prove_write(client, handoff.project_id)
    handoff = decisions.approve(
        company_id=company_id, handoff_id=handoff.id, actor=OPERATOR, proof=proof
    )
    with tenant(company_id):
        return {**_answer(handoff, client), "write_permission": proof.as_json()}


def push_handoff(*, company_id: int, estimate_id: str) -> Answer:
    """A finished handoff is read back and writes nothing.

    Raises NotApproved, PlanIsStale, BudgetLocked, AnotherHandoff, ProcoreError.
    """
    client = app_client(company_id, CallPurpose.PUSH)
    with tenant(company_id):
        handoff = newest_handoff(estimate_id)
    if handoff.state not in PUSHABLE:
        raise NotApproved(state=handoff.get_state_display().lower())
    if handoff.state == HandoffState.DONE:
        reconcile(client, handoff, OPERATOR)
    else:
        run_here(
            company_id=company_id, handoff=handoff, task=Task.PUSH, client=client, actor=OPERATOR
        )
    with tenant(company_id):
        handoff.refresh_from_db()
        return _answer(handoff, client)


def undo_handoff(*, company_id: int, estimate_id: str) -> Answer:
    """Restores amounts and deletes created lines where nobody changed them since.

    Reports what it left. Raises NothingToUndo, BudgetLocked, AnotherHandoff, ProcoreError.
    """
    client = app_client(company_id, CallPurpose.PUSH)
    with tenant(company_id):
        handoff = newest_handoff(estimate_id)
    if handoff.state not in {*WRITTEN, HandoffState.UNDOING}:
        raise NothingToUndo(state=handoff.get_state_display().lower())
    run_here(company_id=company_id, handoff=handoff, task=Task.UNDO, client=client, actor=OPERATOR)
    with tenant(company_id):
        handoff.refresh_from_db()
        answer = _answer(handoff, client)
    answer["reasons"] = handoff.not_undone
    return answer


def _answer(handoff: Handoff, client: ProcoreClient | None = None) -> Answer:
    """Inside tenant()."""
    return {
        "handoff_id": str(handoff.id),
        "state": handoff.state,
        **counts(handoff),
        "total": handoff.total,
        "requests": client.calls if client else 0,
        "reasons": hindrances(handoff),
    }
