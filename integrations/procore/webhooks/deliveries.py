"""Incoming deliveries: authorisation, and the status returned to Procore."""

import hmac
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import DataError, connection

from integrations.procore.sync.tasks import enqueue
from integrations.procore.webhooks.inbox import (
    Told,
    accept,
    read_payload,
    removes_person,
    unreadable,
)
from partner_app.core.logging import log
from partner_app.core.secrets import fingerprint
from partner_app.tenancy.access import end_access

# Our own class: Django's would take longer to build than the response.
HOOKS = """
    SELECT key, company_id, secret_hash, former_hash FROM procore_webhookhook WHERE key = ANY(%s)
"""
ACCEPTED, UNAUTHORIZED, UNKNOWN = 202, 401, 404
RECOGNISED = 60.0  # seconds for which a known sender's body is read without another lookup
MOST_RECOGNISED = 10_000
Hook = tuple[int, bytes, bytes | None]


@dataclass(frozen=True)
class Speaker:
    """The sender of a delivery: the hook's key, and the secret's fingerprint."""

    key: uuid.UUID
    secret: bytes

    @classmethod
    def of(cls, key: uuid.UUID, authorization: str) -> "Speaker":
        return cls(key, fingerprint(authorization))


@dataclass(frozen=True)
class Delivery:
    speaker: Speaker
    body: bytes


def take_in(deliveries: Sequence[Delivery]) -> list[int]:
    """The status for each delivery. All authorised ones are stored in one statement.

    An unreadable one also gets 202, or Procore would hold back every later event of its hook. It is
    stored as an event of unknown content.
    """
    hooks = _hooks({each.speaker.key for each in deliveries})
    found = [_read(hooks, each) for each in deliveries]
    told = [each for each in found if isinstance(each, Told)]
    try:
        due = accept(told)
    except DataError:
        if len(deliveries) > 1:
            raise  # then each is tried alone, and the others are stored
        log.warning("webhook.not_stored", company_id=told[0].company_id)
        due = accept([replace(told[0], payload=unreadable(deliveries[0].body))])
    for each in told:
        if removes_person(each.payload):
            end_access(company_id=each.company_id, remote_user_id=each.payload.resource_id)
    for company_id in due:
        enqueue(company_id)
    return [ACCEPTED if isinstance(each, Told) else each for each in found]


_recognised: dict[Speaker, float] = {}


def is_recognised(speaker: Speaker) -> bool:
    """Known from the last minute, so that a stream of deliveries costs one query a minute.

    take_in() checks the secret again anyway.
    """
    return _recognised.get(speaker, 0.0) > time.monotonic()


def refusals(speakers: Sequence[Speaker]) -> list[int]:
    """The status for each unauthorised sender, 0 for others: checked before their body is read."""
    hooks = _hooks({each.key for each in speakers})
    found = [_judge(hooks, each) for each in speakers]
    for speaker, status in zip(speakers, found, strict=True):
        if not status:
            if len(_recognised) >= MOST_RECOGNISED:
                _recognised.clear()
            _recognised[speaker] = time.monotonic() + RECOGNISED
    return found


def _judge(hooks: Mapping[uuid.UUID, Hook], speaker: Speaker) -> int:
    """0 where the secret of that hook was given."""
    if speaker.key not in hooks:
        return UNKNOWN
    _company_id, *hashes = hooks[speaker.key]
    fits = [hmac.compare_digest(speaker.secret, bytes(known)) for known in hashes if known]
    return 0 if any(fits) else UNAUTHORIZED  # always compares both


def _read(hooks: Mapping[uuid.UUID, Hook], delivery: Delivery) -> Told | int:
    """The event, or the status of a delivery that is not stored."""
    status = _judge(hooks, delivery.speaker)
    if status:
        return status
    company_id = hooks[delivery.speaker.key][0]
    try:
        return Told(company_id, read_payload(delivery.body))
    except (ValueError, RecursionError):
        log.warning("webhook.unreadable", company_id=company_id)
        return Told(company_id, unreadable(delivery.body))


def _hooks(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Hook]:
    with connection.cursor() as cursor:
        cursor.execute(HOOKS, [list(keys)])
        return {key: hook for key, *hook in cursor.fetchall()}
