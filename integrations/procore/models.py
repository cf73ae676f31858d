"""Gathers the packages' models, so that there is one line of migrations."""

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.models import (
    DueRead,
    DueWork,
    Incident,
    Quarantine,
    SyncCursor,
    SyncRun,
    SyncStep,
)
from integrations.procore.webhooks.models import WebhookEvent, WebhookHook

__all__ = [
    "RESOURCES",
    "DueRead",
    "DueWork",
    "Incident",
    "Quarantine",
    "SyncCursor",
    "SyncRun",
    "SyncStep",
    "WebhookEvent",
    "WebhookHook",
]
