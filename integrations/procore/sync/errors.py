"""Errors of a sync run."""

from datetime import datetime

from partner_app.core.errors import Blame, TiebackError


class SyncError(TiebackError):
    code = "sync.error"


class SyncInProgress(SyncError):
    code = "sync.sync_in_progress"
    user_message = "A sync of this company is already running."
    remedy = "Wait until it ends; Tieback in Procore and manage.py status show its progress."
    blame = Blame.TENANT
    status = 409


class SyncLeaseLost(SyncError):
    code = "sync.lease_lost"
    user_message = "Another worker has taken over this sync."
    remedy = "Nothing to do: it continues there."


class Paused(SyncError):
    """Procore asked us to wait; everything read so far is kept."""

    code = "sync.paused"
    user_message = "Procore asked us to wait until {until:%H:%M:%S} UTC."
    remedy = "The sync resumes automatically then."
    transient = True
    blame = Blame.PROCORE

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until=until)


class Withdrawn(SyncError):
    code = "sync.withdrawn"
    user_message = "Procore hides the project from the app."
    remedy = "Permit the project again under App Management in Procore."
    blame = Blame.TENANT


class NotMissing(SyncError):
    code = "sync.not_missing"
    user_message = "These records are no longer missing, or never were."
    remedy = "Check the list of missing records again."
    blame = Blame.TENANT
    status = 409
