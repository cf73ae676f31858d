"""Errors of sign-in and connection."""

from partner_app.core.errors import Blame, TiebackError


class AccessError(TiebackError):
    code = "access.error"
    blame = Blame.TENANT
    status = 403


class ReconnectNeeded(AccessError):
    code = "access.reconnect_needed"
    user_message = "The connection to Procore has ended."
    remedy = "A company administrator can connect again in a minute; no data is lost."
    status = 409


class StateUnknown(AccessError):
    code = "access.state_unknown"
    user_message = "This sign-in was not started here."
    remedy = "Close this page and start again from Tieback."
    status = 400


class StateExpired(AccessError):
    code = "access.state_expired"
    user_message = "This sign-in took too long and has expired."
    remedy = "Start again; it takes less than a minute."
    status = 400


class StateReplayed(AccessError):
    code = "access.state_replayed"
    user_message = "This sign-in was already used."
    remedy = "Start again from Tieback. If you did not sign in twice, contact support."
    status = 400


class StateForeign(AccessError):
    code = "access.state_foreign"
    user_message = "This sign-in was started in another browser."
    remedy = "Start it in the browser where you want to use Tieback."
    status = 400


class SignInRefused(AccessError):
    code = "access.sign_in_refused"
    user_message = "You did not allow Tieback to sign in with Procore."
    remedy = "Nothing was changed. Start again when you are ready."


class NoCompany(AccessError):
    code = "access.no_company"
    user_message = "There is no company here for which you can install Tieback."
    remedy = (
        "A company administrator first installs the app in Procore (App Management), "
        "then connects it here."
    )


class NotMember(AccessError):
    code = "access.not_member"
    user_message = "You are not in this company’s Procore directory."
    remedy = "Sign in as a user of this company, or ask its administrator to add you."
