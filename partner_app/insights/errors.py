"""Errors of the workspace: records that are not found, and names that are taken."""

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.i18n import gettext_noop


class InsightError(TiebackError):
    code = "insight.error"
    blame = Blame.TENANT
    status = 409


class CaseUnknown(InsightError):
    code = "insight.case_unknown"
    user_message = gettext_noop("This exception is closed.")
    remedy = gettext_noop("Its cause is gone; the list shows what is open now.")
    status = 404


class ViewUnknown(InsightError):
    code = "insight.view_unknown"
    user_message = gettext_noop("This saved view does not exist.")
    remedy = gettext_noop("It may have been removed in another window.")
    status = 404
