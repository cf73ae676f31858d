"""Stores what Procore tells us and makes it due, in one statement; the payload is only a hint."""

import hmac
import uuid
from collections import defaultdict
from datetime import datetime

import msgspec
from django.db import connection

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.spec import Scope
from integrations.procore.sync.schedule import make_read_due
from integrations.procore.webhooks.models import WebhookEvent
from partner_app.core import clock
from partner_app.core.secrets import fingerprint

# Statements of our own: Django's would take longer to be made than to be answered.
HOOK = """
    SELECT company_id, secret_hash, former_hash FROM procore_webhookhook WHERE key = %(key)s
"""
# A hundred deliveries that name one list are one row here; see DueRead.
ACCEPT = """
    WITH event AS (
        INSERT INTO procore_webhookevent (company_id, ulid, project_id, resource_type,
            resource_id, reason, happened_at, received_at)
        VALUES (%(company)s, %(ulid)s, %(project)s, %(type)s, %(id)s, %(reason)s, %(at)s, %(now)s)
        ON CONFLICT (company_id, ulid) DO NOTHING RETURNING 1
    ), told AS (
        INSERT INTO procore_dueread (company_id, resource, project_id, sweep, due_at)
        SELECT %(company)s, name, %(place)s, %(sweep)s, %(now)s
        FROM unnest(%(resources)s::text[]) AS name WHERE EXISTS (SELECT FROM event)
        ON CONFLICT DO NOTHING
    ), work AS (
        UPDATE procore_duework SET due_at = %(now)s
        WHERE company_id = %(company)s AND due_at > %(now)s AND EXISTS (SELECT FROM event)
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM event), EXISTS (SELECT FROM work)
"""


def _by_webhook_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, model in RESOURCES.items():
        for webhook in model.spec.webhooks:
            found[webhook].append(name)
    return dict(found)


RESOURCES_OF = _by_webhook_name()


class Payload(msgspec.Struct):
    """Version v4.0. Ids are text; a company's own records have no project."""

    id: str
    resource_type: str
    reason: str = ""
    company_id: int = 0
    project_id: int | None = None
    resource_id: int | None = None
    timestamp: datetime | None = None


_decode = msgspec.json.Decoder(Payload, strict=False).decode


def read_again(event: WebhookEvent) -> bool:
    """What this event told of becomes due once more. False where nothing of ours depends on it."""
    names = RESOURCES_OF.get(event.resource_type, [])
    company_wide = any(RESOURCES[name].spec.scope is Scope.COMPANY for name in names)
    for name in names:
        make_read_due(
            company_id=event.company_id,
            resource=name,
            project_id=0 if company_wide else event.project_id or 0,
        )
    return bool(names)


def company_of(key: uuid.UUID, authorization: str) -> tuple[int | None, bool]:
    """Whose hook has this address, None where nobody's; and whether the secret is its own."""
    with connection.cursor() as cursor:
        cursor.execute(HOOK, {"key": key})
        found = cursor.fetchone()
    if found is None:
        return None, False
    company_id, *hashes = found
    given = fingerprint(authorization)
    known = [bytes(value) for value in hashes if value]
    fits = [hmac.compare_digest(given, value) for value in known]  # both, whatever the first says
    return company_id, any(fits)


def read_payload(body: bytes) -> Payload:
    """Raises ValueError."""
    return _decode(body)


def accept(company_id: int, payload: Payload) -> bool:
    """True when a worker should be woken: this made the company due.

    Nothing of the payload is trusted beyond what to read again. A deletion shows by absence, so it
    asks to look for what is gone.
    """
    names = RESOURCES_OF.get(payload.resource_type, [])
    company_wide = any(RESOURCES[name].spec.scope is Scope.COMPANY for name in names)
    place = 0 if company_wide else payload.project_id
    with connection.cursor() as cursor:
        cursor.execute(
            ACCEPT,
            {
                "company": company_id,
                "ulid": payload.id,
                "project": payload.project_id,
                "type": payload.resource_type,
                "id": payload.resource_id,
                "reason": payload.reason,
                "at": payload.timestamp,
                "now": clock.now(),
                "place": place or 0,
                "sweep": payload.reason == "delete",
                # Without a project nobody knows which list it is; the next poll finds it.
                "resources": names if place is not None else [],
            },
        )
        _new, woken = cursor.fetchone()
    return bool(woken)
