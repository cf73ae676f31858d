"""Names of everything that is recorded."""

from enum import StrEnum


class Event(StrEnum):
    COMPANY_DISCOVERED = "company.discovered"
    COMPANY_CONNECTED = "company.connected"
    COMPANY_GONE = "company.gone"
    COMPANY_PURGED = "company.purged"
    COMPANY_EXPORTED = "company.exported"
    PURGE_SCHEDULED = "company.purge_scheduled"
    VIEWER_SIGNED_IN = "viewer.signed_in"
    RECONNECT_NEEDED = "connection.reconnect_needed"
    ESTIMATE_IMPORTED = "estimate.imported"
    HANDOFF_PLANNED = "handoff.planned"
    HANDOFF_APPROVED = "handoff.approved"
    HANDOFF_PUSHED = "handoff.pushed"
    HANDOFF_RECONCILED = "handoff.reconciled"
    HANDOFF_UNDONE = "handoff.undone"
