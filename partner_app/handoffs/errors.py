"""TiebackError ── HandoffError ─ NoPlan  HandoffUnknown  NotNow  NotApproved  PlanIsStale
PlanIsBlocked  BudgetLocked  ApproverIsSubmitter  BudgetNotEditable  AnotherHandoff  NothingToUndo
EstimateInUse  GaveUp"""

from partner_app.core.errors import Blame, TiebackError


class HandoffError(TiebackError):
    code = "handoff.error"
    blame = Blame.TENANT
    status = 409


class NoPlan(HandoffError):
    code = "handoff.no_plan"
    user_message = "This estimate has no plan yet."
    remedy = "Run handoff with --plan first."


class HandoffUnknown(HandoffError):
    code = "handoff.unknown"
    user_message = "There is no such handoff."
    remedy = "Open it from the project’s estimates."
    status = 404


class NotNow(HandoffError):
    code = "handoff.not_now"
    user_message = "The handoff is {state}: this is not possible now."
    remedy = "Look at its page again; somebody may have been quicker."


class NotApproved(HandoffError):
    code = "handoff.not_approved"
    user_message = "The plan is {state}, not approved."
    remedy = "Run handoff with --approve, then --push."


class PlanIsStale(HandoffError):
    code = "handoff.plan_is_stale"
    user_message = "After the plan was made, {what} changed: {codes}."
    remedy = "Make a new plan; nothing was written."


class PlanIsBlocked(HandoffError):
    code = "handoff.plan_is_blocked"
    user_message = "The plan cannot be carried out: {reasons}."
    remedy = "Mend what is named and make a new plan."


class BudgetLocked(HandoffError):
    code = "handoff.budget_locked"
    user_message = "The budget of this project is locked in Procore."
    remedy = "Unlock it there, or send the difference as a budget change."


class ApproverIsSubmitter(HandoffError):
    code = "handoff.approver_is_submitter"
    user_message = "You submitted this plan, so somebody else has to approve it."
    remedy = "Ask a colleague who may edit the budget. Settings can change it."
    status = 403


class BudgetNotEditable(HandoffError):
    code = "handoff.budget_not_editable"
    user_message = "Procore does not let you edit this project’s budget."
    remedy = "Ask for the permission to edit original budget amounts, or ask a colleague."
    status = 403


class AnotherHandoff(HandoffError):
    code = "handoff.another"
    user_message = "{name} is being written to the budget of this project at this moment."
    remedy = "Wait until it has ended, then make a new plan."


class NothingToUndo(HandoffError):
    code = "handoff.nothing_to_undo"
    user_message = "Nothing was pushed that could be taken back (the handoff is {state})."
    remedy = "Only a pushed handoff can be undone."


class EstimateInUse(HandoffError):
    code = "handoff.estimate_in_use"
    user_message = "This estimate has been handed off, so it stays as a record."
    remedy = "Take the handoff back first if the budget should not have it."


class GaveUp(HandoffError):
    code = "handoff.gave_up"
    user_message = "Procore did not take the lines after many attempts."
    remedy = "Try the push again; lines that have arrived are not sent twice."
    blame = Blame.PROCORE
