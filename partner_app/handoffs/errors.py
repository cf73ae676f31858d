"""TiebackError ── HandoffError ─ NoPlan  NotApproved  PlanIsStale  PlanIsBlocked  BudgetLocked
RowRefused  NothingToUndo  NoBudgetView"""

from partner_app.core.errors import Blame, TiebackError


class HandoffError(TiebackError):
    code = "handoff.error"
    blame = Blame.TENANT
    status = 409


class NoPlan(HandoffError):
    code = "handoff.no_plan"
    user_message = "This estimate has no plan yet."
    remedy = "Run handoff with --plan first."


class NotApproved(HandoffError):
    code = "handoff.not_approved"
    user_message = "The plan is {state}, not approved."
    remedy = "Run handoff with --approve, then --push."


class PlanIsStale(HandoffError):
    code = "handoff.plan_is_stale"
    user_message = "The budget changed in Procore after the plan was made: {codes}."
    remedy = "Make a new plan; nothing was written."


class PlanIsBlocked(HandoffError):
    code = "handoff.plan_is_blocked"
    user_message = "The plan cannot be carried out: {reasons}."
    remedy = "Mend what is named and make a new plan."


class BudgetLocked(HandoffError):
    code = "handoff.budget_locked"
    user_message = "The budget of this project is locked in Procore."
    remedy = "Unlock it there, or send the difference as a budget change."


class NothingToUndo(HandoffError):
    code = "handoff.nothing_to_undo"
    user_message = "Nothing was pushed that could be taken back (the handoff is {state})."
    remedy = "Only a pushed handoff can be undone."
