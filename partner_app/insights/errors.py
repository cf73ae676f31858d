"""TiebackError ── InsightError ─ CaseUnknown  ViewNameTaken  ViewUnknown"""

from partner_app.core.errors import Blame, TiebackError


class InsightError(TiebackError):
    code = "insight.error"
    blame = Blame.TENANT
    status = 409


class CaseUnknown(InsightError):
    code = "insight.case_unknown"
    user_message = "This exception is over."
    remedy = "Its cause is gone; the list shows what is open now."
    status = 404


class ViewUnknown(InsightError):
    code = "insight.view_unknown"
    user_message = "There is no such saved view."
    remedy = "It may have been removed in another window."
    status = 404
