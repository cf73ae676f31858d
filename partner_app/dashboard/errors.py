"""What the dashboard does not find."""

from partner_app.core.errors import Blame, TiebackError


class IncidentUnknown(TiebackError):
    code = "dashboard.incident_unknown"
    user_message = "There is no such incident, or it is older than ninety days."
    remedy = "Look for it in the list of incidents."
    blame = Blame.TENANT
    status = 404


class RunUnknown(TiebackError):
    code = "dashboard.run_unknown"
    user_message = "There is no such sync, or it is older than ninety days."
    remedy = "Look for it in the list of syncs."
    blame = Blame.TENANT
    status = 404


class ChannelUnknown(TiebackError):
    code = "dashboard.channel_unknown"
    user_message = "There is no such channel any more."
    remedy = "Look at the list of channels."
    blame = Blame.TENANT
    status = 404
