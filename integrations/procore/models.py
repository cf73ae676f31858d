"""Collects the models of the packages, so that there is one line of migrations."""

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.budget_choice import BudgetViewChoice
from integrations.procore.sync.models import (
    Absence,
    DueRead,
    DueWork,
    Incident,
    ProjectUse,
    Quarantine,
    SyncCursor,
    SyncRun,
    SyncStep,
)
from integrations.procore.webhooks.models import WebhookEvent, WebhookHook

__all__ = [
    "RESOURCES",
    "Absence",
    "BudgetViewChoice",
    "DueRead",
    "DueWork",
    "Incident",
    "ProjectUse",
    "Quarantine",
    "SyncCursor",
    "SyncRun",
    "SyncStep",
    "WebhookEvent",
    "WebhookHook",
]
