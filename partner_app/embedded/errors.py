"""Errors of a viewer: not signed in, or without the permission in Procore."""

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.i18n import gettext_noop


class ViewerError(TiebackError):
    code = "viewer.error"
    blame = Blame.TENANT
    status = 403


class SignInNeeded(ViewerError):
    code = "viewer.sign_in_needed"
    user_message = gettext_noop("Please sign in with Procore.")
    remedy = gettext_noop("It takes one click.")
    status = 401


class SignedOutEverywhere(SignInNeeded):
    code = "viewer.signed_out_everywhere"
    user_message = gettext_noop("You are signed out of every window, on this and other devices.")
    remedy = gettext_noop("To continue, sign in with Procore; it takes one click.")


class CodeRefused(ViewerError):
    code = "viewer.code_refused"
    user_message = gettext_noop(
        "This sign-in code has been used, has expired or belongs to another window."
    )
    remedy = gettext_noop("Sign in again.")
    status = 400


class RenewalRefused(ViewerError):
    code = "viewer.renewal_refused"
    user_message = gettext_noop("Your sign-in has ended.")
    remedy = gettext_noop("Sign in with Procore again; it takes one click.")
    status = 401


class PairingRefused(ViewerError):
    code = "viewer.pairing_refused"
    user_message = gettext_noop("This code does not belong to the Tieback window you came from.")
    remedy = gettext_noop(
        "Go back to Tieback in Procore, sign in again, and type the code shown there."
    )
    status = 400


class NotEntitled(ViewerError):
    code = "viewer.not_entitled"
    user_message = gettext_noop("Procore does not give you access to this tool on this project.")
    remedy = gettext_noop("Ask the project’s administrator in Procore for access to {tool}.")


class PermissionsUnclear(ViewerError):
    """Procore's manifest came in a form that proves nothing: no access, and nobody is to blame."""

    code = "viewer.permissions_unclear"
    user_message = gettext_noop(
        "Procore’s answer about your access to {tool} could not be read, so it counts as no access."
    )
    remedy = gettext_noop(
        "Try again in five minutes. If the problem remains, write to support and name this tool."
    )
    blame = Blame.PROCORE


class NotCompanyAdmin(ViewerError):
    code = "viewer.not_company_admin"
    user_message = gettext_noop("Only a company administrator in Procore can change this.")
    remedy = gettext_noop("Ask one of your company’s administrators.")


class ProjectHidden(ViewerError):
    code = "viewer.project_hidden"
    user_message = gettext_noop("This project does not exist, or Procore does not let you see it.")
    remedy = gettext_noop(
        "Check in Procore that you are on the project and that Tieback is permitted there."
    )
    status = 404


class CompanyNotReady(ViewerError):
    code = "viewer.company_not_ready"
    user_message = gettext_noop("Tieback is not connected to this company at the moment.")
    remedy = gettext_noop("A company administrator can connect it on the Install page.")
    status = 409
