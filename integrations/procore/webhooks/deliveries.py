"""Deliveries on their way in: who may speak, and what is said to Procore in return."""

import hmac
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from integrations.procore.sync.tasks import ring
from integrations.procore.webhooks.inbox import Told, accept, read_payload
from partner_app.core.logging import log
from partner_app.core.secrets import fingerprint
from partner_app.core.together import Together

# Ours, not Django's: that would take longer to be made than to be answered.
HOOKS = """
    SELECT key, company_id, secret_hash, former_hash FROM procore_webhookhook WHERE key = ANY(%s)
"""
ACCEPTED, UNAUTHORIZED, UNKNOWN, TOO_LARGE = 202, 401, 404, 413
Hook = tuple[int, bytes, bytes | None]


@dataclass(frozen=True)
class Delivery:
    """`body` is None where it was too large to be read."""

    key: uuid.UUID
    authorization: str
    body: bytes | None


def take_in(deliveries: Sequence[Delivery]) -> list[int]:
    """The status for each. All that is authorised is stored at once.

    What nobody can read is answered 202 all the same, or Procore would hold back every later event
    of its hook for the sake of that one.
    """
    hooks = _hooks({each.key for each in deliveries})
    found = [_read(hooks, each) for each in deliveries]
    told = [each for each in found if isinstance(each, Told)]
    for company_id in accept(told):
        ring(company_id)
    return [ACCEPTED if isinstance(each, Told) else each for each in found]


deliver = Together(take_in)


def _read(hooks: Mapping[uuid.UUID, Hook], delivery: Delivery) -> Told | int:
    """What was told, or the status of what is not stored."""
    if delivery.key not in hooks:
        return UNKNOWN
    company_id, *hashes = hooks[delivery.key]
    given = fingerprint(delivery.authorization)
    fits = [hmac.compare_digest(given, bytes(known)) for known in hashes if known]  # always both
    if not any(fits):
        return UNAUTHORIZED
    if delivery.body is None:
        return TOO_LARGE
    try:
        return Told(company_id, read_payload(delivery.body))
    except ValueError:
        log.warning("webhook.unreadable", company_id=company_id)
        return ACCEPTED


def _hooks(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Hook]:
    with connection.cursor() as cursor:
        cursor.execute(HOOKS, [list(keys)])
        return {key: hook for key, *hook in cursor.fetchall()}
