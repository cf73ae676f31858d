"""Errors of handoffs: not possible in this state, or not by this person."""

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.i18n import gettext_noop


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
    user_message = gettext_noop("There is no such handoff.")
    remedy = gettext_noop("Open it from the project’s estimates.")
    status = 404


class NotNow(HandoffError):
    code = "handoff.not_now"
    user_message = gettext_noop("The handoff is {state}: this is not possible now.")
    remedy = gettext_noop("Open its page again; someone else may have acted first.")


class NotApproved(HandoffError):
    code = "handoff.not_approved"
    user_message = "The plan is {state}, not approved."
    remedy = "Run handoff with --approve, then --push."


class PlanIsStale(HandoffError):
    code = "handoff.plan_is_stale"
    user_message = gettext_noop("After the plan was made, {what} changed: {codes}.")
    remedy = gettext_noop("Make a new plan; nothing was written.")


class PlanIsBlocked(HandoffError):
    code = "handoff.plan_is_blocked"
    user_message = gettext_noop("The plan cannot be carried out: {reasons}.")
    remedy = gettext_noop("Fix the problems named and make a new plan.")


class BudgetLocked(HandoffError):
    code = "handoff.budget_locked"
    user_message = gettext_noop("The budget of this project is locked in Procore.")
    remedy = gettext_noop("Unlock it there, or send the difference as a budget change.")


class ApproverIsSubmitter(HandoffError):
    code = "handoff.approver_is_submitter"
    user_message = gettext_noop("You submitted this plan, so someone else has to approve it.")
    remedy = gettext_noop(
        "Ask a colleague who may edit the budget. An administrator can change this rule under "
        "Settings."
    )
    status = 403


class BudgetNotEditable(HandoffError):
    code = "handoff.budget_not_editable"
    user_message = gettext_noop(
        "Procore does not let you edit this project’s budget: you have Budget: {level}, without "
        "“Create and Edit Original Budget Amount”."
    )
    remedy = gettext_noop(
        "Ask for Budget: Admin or the granular permission “Create and Edit Original Budget "
        "Amount”, or ask a colleague. The plan stays as it is."
    )
    status = 403


class WriteNotProved(HandoffError):
    code = "handoff.write_not_proved"
    user_message = (
        "Procore does not confirm that the service account may edit the budget of project "
        "{project_id}. Procore shows: {found}."
    )
    remedy = (
        "Give its user Budget: Admin or the granular permission “Create and Edit Original Budget "
        "Amount” on this project; manage.py permissions COMPANY_ID shows why it is missing. "
        "The plan stays as it is."
    )


class AnotherHandoff(HandoffError):
    code = "handoff.another"
    user_message = gettext_noop("{name} is being written to the budget of this project right now.")
    remedy = gettext_noop("Wait until it has finished, then make a new plan.")


class NothingToUndo(HandoffError):
    code = "handoff.nothing_to_undo"
    user_message = gettext_noop("There is nothing to undo (the handoff is {state}).")
    remedy = gettext_noop("Only a pushed handoff can be undone.")


class UndoNotRequested(HandoffError):
    code = "handoff.undo_not_requested"
    user_message = gettext_noop("Nobody has asked to undo this handoff.")
    remedy = gettext_noop(
        "Request it; a colleague who may edit the budget then undoes the handoff. An administrator "
        "can change this rule under Settings."
    )


class UndoNeedsAnother(HandoffError):
    code = "handoff.undo_needs_another"
    user_message = gettext_noop("You asked to undo this handoff, so someone else has to do it.")
    remedy = gettext_noop(
        "Ask a colleague who may edit the budget. An administrator can change this rule under "
        "Settings."
    )
    status = 403


class UndoAlreadyRequested(HandoffError):
    code = "handoff.undo_already_requested"
    user_message = gettext_noop("Someone has already asked to undo this handoff.")
    remedy = gettext_noop("Open its page again: it shows who asked and what you can do.")


class UndoRequestOfAnother(HandoffError):
    code = "handoff.undo_request_of_another"
    user_message = gettext_noop("Someone else asked to undo this handoff.")
    remedy = gettext_noop(
        "Only that person can withdraw the request; anyone who may edit the budget can decline it."
    )
    status = 403


class EstimateInUse(HandoffError):
    code = "handoff.estimate_in_use"
    user_message = gettext_noop("This estimate has been handed off, so it stays as a record.")
    remedy = gettext_noop("Undo the handoff first if it should not be in the budget.")


class GaveUp(HandoffError):
    code = "handoff.gave_up"
    user_message = gettext_noop("Procore did not accept the lines after many attempts.")
    remedy = gettext_noop("Try the push again; lines already in the budget are not sent twice.")
    blame = Blame.PROCORE
