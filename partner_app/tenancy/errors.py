"""Errors about a company: unknown, in the wrong state, without a feature."""

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.i18n import gettext_noop


class CompanyUnknown(TiebackError):
    code = "company.unknown"
    user_message = "Company {company_id} is not known here."
    remedy = "Install the app in Procore, then connect the company, or run discover."
    blame = Blame.TENANT
    status = 404


class MoveUnlawful(TiebackError):
    code = "company.move_unlawful"
    user_message = "A company cannot go from “{before}” to “{after}”."
    remedy = "Nothing was changed. This is a fault of ours and has been recorded."
    status = 409


class FeatureOff(TiebackError):
    code = "company.feature_off"
    user_message = gettext_noop("{feature} is switched off for your company.")
    remedy = gettext_noop("Tieback’s support can explain why, and switch it on again.")
    blame = Blame.TENANT
    status = 403
