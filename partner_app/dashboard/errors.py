"""Errors for records that the dashboard does not find."""

from partner_app.core.errors import Blame, TiebackError


class IncidentUnknown(TiebackError):
    code = "dashboard.incident_unknown"
    user_message = "This incident does not exist, or is older than ninety days."
    remedy = "Look for it in the list of incidents."
    blame = Blame.TENANT
    status = 404


class RunUnknown(TiebackError):
    code = "dashboard.run_unknown"
    user_message = "This sync does not exist, or is older than ninety days."
    remedy = "Look for it in the list of syncs."
    blame = Blame.TENANT
    status = 404


class ChannelUnknown(TiebackError):
    code = "dashboard.channel_unknown"
    user_message = "This channel no longer exists."
    remedy = "Check the list of channels."
    blame = Blame.TENANT
    status = 404
