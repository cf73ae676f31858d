"""Procore's error responses as exceptions, by status and body."""

from datetime import datetime

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.i18n import gettext_noop


class ProcoreError(TiebackError):
    code = "procore.error"
    blame = Blame.PROCORE
    status = 502


class Unauthorized(ProcoreError):
    code = "procore.unauthorized"
    user_message = gettext_noop("Procore no longer accepts the connection.")
    remedy = gettext_noop("Sign in with Procore again.")
    blame = Blame.TENANT
    status = 401


class GrantRefused(ProcoreError):
    """invalid_grant: a used, expired or revoked code or refresh token. Only a person can help."""

    code = "procore.grant_refused"
    user_message = gettext_noop("Procore refused the sign-in.")
    remedy = gettext_noop("Start again from Connect.")
    blame = Blame.TENANT
    status = 401


class NotConnected(ProcoreError):
    code = "procore.not_connected"
    user_message = gettext_noop("The app is not installed at this company in Procore.")
    remedy = gettext_noop("A company administrator can install it from App Management in Procore.")
    blame = Blame.TENANT
    status = 403


class NotConnectedOnce(ProcoreError):
    """403 "not connected", but the check a moment later said otherwise or got no answer."""

    code = "procore.not_connected_once"
    user_message = gettext_noop(
        "Procore reported that the app is not connected, but did not confirm it."
    )
    remedy = gettext_noop("Nothing to do: we check again in 30 seconds.")
    transient = True


class Forbidden(ProcoreError):
    code = "procore.forbidden"
    user_message = gettext_noop("Procore does not allow this.")
    remedy = gettext_noop("Ask a company administrator for access to the tool.")
    blame = Blame.TENANT
    status = 403


class NotFoundOrHidden(ProcoreError):
    code = "procore.not_found"
    user_message = gettext_noop("Procore does not have this, or does not let you see it.")
    remedy = gettext_noop("Check that the project is one of the app’s permitted projects.")
    blame = Blame.TENANT
    status = 404


class Refused(ProcoreError):
    """A 4xx with reasons: `reasons` holds one text for each field."""

    code = "procore.refused"
    user_message = gettext_noop("Procore refused the data: {reasons}.")
    remedy = gettext_noop("Correct what Procore names and try again.")
    blame = Blame.TENANT
    status = 422

    def __init__(self, reasons: str, status_code: int) -> None:
        self.reasons, self.status_code = reasons, status_code
        super().__init__(reasons=reasons)


class RateLimited(ProcoreError):
    code = "procore.rate_limited"
    user_message = gettext_noop("Procore asks us to wait until {until:%H:%M:%S} UTC.")
    remedy = gettext_noop("Nothing is lost; work resumes automatically then.")
    transient = True
    status = 503

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until=until)


class NotSent(RateLimited):
    """The login host asked us to wait: nothing was sent and no token is spent."""

    code = "procore.login_waits"


class ServerTrouble(ProcoreError):
    code = "procore.server_trouble"
    user_message = gettext_noop("Procore has trouble at the moment (status {status_code}).")
    remedy = gettext_noop("Try again in a few minutes.")
    transient = True

    def __init__(self, status_code: int, until: datetime | None = None) -> None:
        self.until = until
        super().__init__(status_code=status_code)


class Unreachable(ProcoreError):
    """No response. A write may or may not have happened."""

    code = "procore.unreachable"
    user_message = gettext_noop("Procore did not answer.")
    remedy = gettext_noop("Try again in a few minutes.")
    transient = True


class Unreadable(ProcoreError):
    """`shape` describes what came instead; it never holds a value."""

    code = "procore.unreadable"
    user_message = gettext_noop("Procore sent an answer we could not read.")
    remedy = gettext_noop("Try again in a few minutes.")
    transient = True

    def __init__(self, shape: str = "") -> None:
        self.shape = shape
        super().__init__()


class EndlessList(ProcoreError):
    code = "procore.endless_list"
    user_message = gettext_noop(
        "A list from Procore does not end: its pages repeat, or there are more of them than it "
        "announced."
    )
    remedy = gettext_noop(
        "Records already read are kept, and the next sync tries again. If the problem remains, "
        "write to support."
    )
