"""The app's manifests, derived from what the code calls and shows: they cannot claim otherwise."""

from dataclasses import asdict
from typing import Any

from django.conf import settings

from integrations.procore.api.operations import Access, Operation, permissions
from integrations.procore.webhooks.hooks import NAMESPACE, VERSION
from partner_app.insights.panel import VIEWS

FULL_SCREEN = "/embedded/?company_id={{procore.company.id}}&project_id={{procore.project.id}}"
SIDE_PANEL = "/embedded/panel/?company_id={{procore.company.id}}&project_id={{procore.project.id}}"
LEVELS = list(Access)
# Names of Procore's views in the side panel [side_panel_view_keys].
VIEW_KEYS = (
    "rfi.detail",
    "submittal_logs.detail",
    "change_events.list",
    "change_events.detail",
    "change_events.edit",
    "budgeting.list",
    "budgeting.detail",
    "commitments.work_order_contracts.detail",
    "commitments.work_order_contracts.edit",
    "commitments.purchase_order_contracts.detail",
    "commitments.purchase_order_contracts.edit",
    "commitments.requisitions.detail",
)


def manifest() -> dict[str, Any]:
    return {
        "name": "Tieback",
        "oauth": {
            "redirect_uris": [settings.PROCORE.redirect_uri],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        },
        "service_account": {"permissions": service_account()},
        "webhooks": {"namespace": NAMESPACE, "payload_version": VERSION},
        "components": [
            {"type": "fullscreen", "title": "Tieback", "url": settings.BASE_URL + FULL_SCREEN},
            {
                "type": "sidepanel",
                "title": "Tieback",
                "url": settings.BASE_URL + SIDE_PANEL,
                "views": list(VIEW_KEYS),
            },
        ],
    }


def service_account() -> list[dict[str, Any]]:
    """Each tool with the least access that its operations need, and why each is called."""
    return [
        {
            "tool": tool,
            "access": max((each.access for each in needed), key=LEVELS.index),
            "granular": sorted({each.granular for each in needed if each.granular}),
            "because": [_reason(each) for each in needed],
        }
        for tool, needed in sorted(permissions().items())
    ]


def shown_views() -> list[str]:
    """View keys that the panel has something to say about."""
    return [key for key in VIEW_KEYS if any(key.startswith(prefix) for prefix, *_ in VIEWS)]


def _reason(operation: Operation) -> dict[str, str]:
    told = asdict(operation)
    return {"operation": f"{told['method']} {told['path']}", "why": told["why"]}
