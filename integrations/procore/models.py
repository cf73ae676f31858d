"""Gathers the packages' models, so that there is one line of migrations."""

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.models import DueWork, SyncCursor, SyncRun, SyncStep

__all__ = ["RESOURCES", "DueWork", "SyncCursor", "SyncRun", "SyncStep"]
