"""What support needs to find a cause: states, times and counts; no records, names or secrets.

A person attaches it to a question by consent; an operator writes it to a file.
"""

import platform
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import django
import msgspec
from django.conf import settings
from django.db import connection

from integrations.procore.sync.models import Incident, SyncCursor, SyncRun
from integrations.procore.sync.status import status
from integrations.procore.webhooks.models import WebhookEvent, WebhookHook
from partner_app.audit.models import AuditEvent
from partner_app.connections.doctor import examine
from partner_app.connections.models import ApiDay, Connection
from partner_app.core import clock
from partner_app.core.heartbeats import processes
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error

RUNS = 20
EVENTS = 100


def diagnose(company_id: int) -> dict[str, Any]:
    """JSON-ready. Raises CompanyUnknown."""
    company = company_or_error(company_id)
    runs = SyncRun.objects.filter(company=company).order_by("-started_at")[:RUNS]
    hook = WebhookHook.objects.filter(company=company).first()
    newest = WebhookEvent.objects.filter(company=company).order_by("-received_at").first()
    with tenant(company_id):
        kinds = Connection.objects.filter(company_id=company_id).order_by("kind")
        connections = [
            {"kind": row.kind, "expires_at": row.expires_at, "broken_at": row.broken_at}
            for row in kinds.exclude(kind="viewer")
        ]
    found: dict[str, Any] = _plain(
        {
            "made_at": clock.now(),
            "version": settings.PROCORE.user_agent,
            "python": platform.python_version(),
            "django": django.get_version(),
            "postgres": connection.pg_version,  # type: ignore[attr-defined]  # of this backend
            "webhooks_enabled": settings.WEBHOOKS_ENABLED,
            "company": {
                "id": company.id,
                "state": company.state,
                "state_since": company.state_since,
                "paused_at": company.paused_at,
                "switched_off": company.switched_off,
            },
            "connections": connections,
            "status": status(company_id)["companies"],
            "runs": [_run(run) for run in runs],
            "cursors": SyncCursor.objects.filter(company=company).count(),
            "incidents": list(
                Incident.objects.filter(company=company)
                .order_by("-opened_at")[:RUNS]
                .values("resource", "code", "message", "opened_at", "closed_at")
            ),
            "hook": {"state": hook.state, "checked_at": hook.checked_at} if hook else None,
            "newest_event_at": newest.received_at if newest else None,
            "api_days": list(
                ApiDay.objects.filter(company_id=company_id).order_by("-day")[:14].values()
            ),
            "processes": [
                {"process": each.name, "seen_at": each.seen_at, "alive": each.alive}
                for each in processes()
            ],
        }
    )
    return found


def write_bundle(company_id: int, path: Path) -> dict[str, Any]:
    """A ZIP with the diagnostics, doctor's findings and the newest audit events.

    Raises CompanyUnknown, OSError.
    """
    events = AuditEvent.objects.filter(company_id=company_id).order_by("-at")[:EVENTS]
    parts = {
        "diagnostics.json": diagnose(company_id),
        "doctor.json": examine(),
        "audit.json": _plain(list(events.values("at", "event", "facts"))),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, msgspec.json.format(msgspec.json.encode(content), indent=2))
    return {"company_id": company_id, "file": str(path), "parts": sorted(parts)}


def _run(run: SyncRun) -> dict[str, Any]:
    errors = run.steps.exclude(error="").values("resource", "error_code", "error").distinct()
    return {
        "mode": run.mode,
        "state": run.state,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "requests": run.requests,
        "errors": list(errors),
    }


def _plain(value: Any) -> Any:
    """Times as text; the company's name is left out: the reader has its id."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items() if key != "name"}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value
