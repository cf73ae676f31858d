"""Stores webhook events and queues their lists, in one statement; a payload is only a hint."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import msgspec
from django.conf import settings
from django.db import connection

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.spec import Scope
from integrations.procore.sync.order import STILL_OPEN
from integrations.procore.sync.schedule import make_read_due
from integrations.procore.webhooks.models import WebhookEvent
from partner_app.core import clock
from partner_app.core.partitions import month_of

# A hundred deliveries that name one list become one row here; see DueRead. Always in the same
# order, so that two processes never deadlock. A list that is queued already is not touched, or all
# deliveries of a project would wait for each other's commits: the run that takes it from the table
# reads it after that, and so after the change that the event reports.
ACCEPT = """
    WITH given AS (
        SELECT * FROM unnest(%(company)s::bigint[], %(ulid)s::text[], %(project)s::bigint[],
            %(type)s::text[], %(id)s::bigint[], %(reason)s::text[], %(at)s::timestamptz[],
            %(month)s::date[])
    ), event AS (
        INSERT INTO procore_event_by_month (company_id, ulid, project_id, resource_type,
            resource_id, reason, happened_at, month, received_at)
        SELECT *, %(now)s FROM given ORDER BY 1, 2
        ON CONFLICT (company_id, ulid, month) DO NOTHING RETURNING company_id, ulid
    ), wanted AS (
        SELECT DISTINCT list.company_id, resource, place, sweep,
            CASE WHEN use.opened_at > %(open_since)s THEN %(now)s::timestamptz
            ELSE %(later)s::timestamptz END AS due_at
        FROM unnest(%(list_company)s::bigint[], %(list_ulid)s::text[], %(resource)s::text[],
            %(place)s::bigint[], %(sweep)s::boolean[])
            AS list (company_id, ulid, resource, place, sweep)
        JOIN event USING (company_id, ulid)
        LEFT JOIN procore_projectuse use
            ON use.company_id = list.company_id AND use.project_id = place
    ), told AS (
        INSERT INTO procore_dueread (company_id, resource, project_id, sweep, due_at)
        SELECT * FROM wanted WHERE NOT EXISTS (
            SELECT FROM procore_dueread known
            WHERE known.company_id = wanted.company_id AND known.resource = wanted.resource
            AND known.project_id = place AND known.sweep = wanted.sweep
            AND known.due_at <= wanted.due_at)
        ORDER BY 1, 2, 3, 4
        ON CONFLICT (company_id, resource, project_id, sweep) DO UPDATE
            SET due_at = EXCLUDED.due_at WHERE procore_dueread.due_at > EXCLUDED.due_at
        RETURNING company_id, due_at
    ), news AS (
        SELECT company_id, min(due_at) AS due_at FROM told GROUP BY company_id
    ), sleeping AS (
        SELECT work.company_id, news.due_at
        FROM procore_duework work JOIN news USING (company_id)
        WHERE work.due_at > news.due_at ORDER BY work.company_id FOR UPDATE OF work
    )
    UPDATE procore_duework work SET due_at = sleeping.due_at FROM sleeping
    WHERE work.company_id = sleeping.company_id AND sleeping.due_at <= work.due_at
    RETURNING work.company_id, sleeping.due_at <= %(now)s
"""

UNREADABLE = "(unreadable)"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID = re.compile(rf"[0-7][{CROCKFORD}]{{25}}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_MONTH = EPOCH.date()


# Where calls are planned, changes of projects that nobody has open are read together.
TOGETHER = timedelta(minutes=60)


def _by_webhook_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, model in RESOURCES.items():
        for webhook in model.spec.webhooks:
            found[webhook].append(name)
    return dict(found)


RESOURCES_OF = _by_webhook_name()


# What the columns and their indexes can hold. Postgres text holds no NUL.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Word = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00]*$")]
Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
FIRST_YEAR, LAST_YEAR = 2000, 2200  # outside these, it is not the time of a change
FIRST_TIME, LAST_TIME = (
    (datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
    for year in (FIRST_YEAR, LAST_YEAR + 1)
)


class Payload(msgspec.Struct):
    """Version v4.0. Ids are text; a company's own records have no project."""

    id: Name
    resource_type: Name
    reason: Word = ""
    project_id: Id | None = None
    resource_id: Id | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True)
class Told:
    """An event of a company, from a sender that knows its hook's secret."""

    company_id: int
    payload: Payload


_decode = msgspec.json.Decoder(Payload, strict=False).decode


def read_again(event: WebhookEvent) -> bool:
    """Queues what this event named once more. False where none of our resources depends on it."""
    names = RESOURCES_OF.get(event.resource_type, [])
    company_wide = any(RESOURCES[name].spec.scope is Scope.COMPANY for name in names)
    for name in names:
        make_read_due(
            company_id=event.company_id,
            resource=name,
            project_id=0 if company_wide else event.project_id or 0,
        )
    return bool(names)


def read_payload(body: bytes) -> Payload:
    """Raises ValueError; RecursionError for nesting that is too deep."""
    found = _decode(body)
    if found.timestamp and not FIRST_YEAR <= found.timestamp.year <= LAST_YEAR:
        raise ValueError("no time of a change")
    return found


def month_of_ulid(ulid: str) -> date:
    """Of its own time, in UTC: milliseconds in its first ten characters [github.com/ulid/spec].

    Text that is not a ULID counts to the earliest month, always the same.
    """
    if not ULID.fullmatch(ulid):
        return NO_MONTH
    milliseconds = 0
    for character in ulid[:10]:
        milliseconds = milliseconds * 32 + CROCKFORD.index(character)
    if not FIRST_TIME <= milliseconds < LAST_TIME:
        return NO_MONTH
    return month_of((EPOCH + timedelta(milliseconds=milliseconds)).date())


def removes_person(payload: Payload) -> bool:
    """A person has left the company: their access here ends now, not with the next poll."""
    of_people = "users" in RESOURCES_OF.get(payload.resource_type, ())
    return of_people and payload.reason == "delete" and payload.resource_id is not None


def unreadable(body: bytes) -> Payload:
    """Replaces what cannot be read or stored: the same bytes give the same event."""
    return Payload(id=f"unreadable-{hashlib.sha256(body).hexdigest()}", resource_type=UNREADABLE)


def accept(told: Sequence[Told]) -> list[int]:
    """The companies that became due, so that a worker can be woken for each.

    A payload is trusted only for what to read again. A deletion shows by absence, so it also queues
    a search for deleted records.
    """
    if not told:
        return []
    now = clock.now()
    lists = [(each, name, place) for each in told for name, place in _lists(each.payload)]
    with connection.cursor() as cursor:
        cursor.execute(
            ACCEPT,
            {
                "company": [each.company_id for each in told],
                "ulid": [each.payload.id for each in told],
                "project": [each.payload.project_id for each in told],
                "type": [each.payload.resource_type for each in told],
                "id": [each.payload.resource_id for each in told],
                "reason": [each.payload.reason for each in told],
                "at": [each.payload.timestamp for each in told],
                "month": [month_of_ulid(each.payload.id) for each in told],
                "now": now,
                "later": now + (TOGETHER if settings.PROCORE.plans_calls else timedelta(0)),
                "open_since": now - STILL_OPEN,
                "list_company": [each.company_id for each, _, _ in lists],
                "list_ulid": [each.payload.id for each, _, _ in lists],
                "resource": [name for _, name, _ in lists],
                "place": [place for _, _, place in lists],
                "sweep": [each.payload.reason == "delete" for each, _, _ in lists],
            },
        )
        return [company_id for company_id, at_once in cursor.fetchall() if at_once]


def _lists(payload: Payload) -> list[tuple[str, int]]:
    """Resources to read again, each with its project; 0 is the company.

    Without a project the list is unknown; the next poll finds the change.
    """
    names = RESOURCES_OF.get(payload.resource_type, [])
    company_wide = any(RESOURCES[name].spec.scope is Scope.COMPANY for name in names)
    place = 0 if company_wide else payload.project_id
    return [] if place is None else [(name, place) for name in names]
