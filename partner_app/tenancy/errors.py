"""TiebackError ── CompanyUnknown"""

from partner_app.core.errors import Blame, TiebackError


class CompanyUnknown(TiebackError):
    code = "company.unknown"
    user_message = "Company {company_id} is not known here."
    remedy = "Install the app in Procore, then connect the company, or run discover."
    blame = Blame.TENANT
    status = 404
