"""Finds records by the words of their number and title, within what a viewer may see."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import SourceRecord
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.sight import seen_by
from partner_app.insights.models import SearchWord

MOST_WORDS = 8
SHORTEST, LONGEST = 2, 60  # letters of a word
LONGEST_TEXT = 10_000  # letters of a record that are indexed; Postgres refuses a megabyte of words
BEGINNING = datetime.min.replace(tzinfo=UTC)
CANDIDATES = 400  # records that a search returns at most

# The searched resources, and the columns whose words count: first the name, then the description.
SEARCHED: dict[str, tuple[str, str]] = {
    "rfis": ("number", "subject"),
    "submittals": ("number", "title"),
    "change_events": ("number", "title"),
    "commitments": ("number", "title"),
    "change_orders": ("number", "title"),
    "direct_costs": ("vendor", "description"),
    "requisitions": ("invoice_number", "status"),
    "observations": ("number", "name"),
    "punch_items": ("position", "name"),
}


Found = tuple[str, int]  # resource, and the record's id in Procore


@dataclass(frozen=True)
class Hit:
    resource: str
    number: str
    title: str
    record: SourceRecord


def index_words(company_id: int, project_id: int, *, since: datetime | None) -> None:
    """Inside tenant(): indexes records written since then; all where nothing was indexed."""
    for resource, (first, second) in SEARCHED.items():
        table = RESOURCES[resource]._meta.db_table
        written = "r.company_id = %s AND r.project_id = %s AND r.synced_at >= %s"
        params: list[str | int | datetime] = [resource, company_id, project_id, since or BEGINNING]
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM insights_searchword w USING {table} r "  # noqa: S608  # our own names
                "WHERE w.resource = %s AND w.company_id = r.company_id "
                f"AND w.project_id = r.project_id AND w.remote_id = r.remote_id AND {written}",
                params,
            )
            cursor.execute(
                "INSERT INTO insights_searchword "  # noqa: S608  # our own names
                "(company_id, project_id, resource, remote_id, word) "
                f"SELECT r.company_id, r.project_id, %s, r.remote_id, left(word, {LONGEST}) "
                f"FROM {table} r, unnest(tsvector_to_array(to_tsvector('simple', "
                f"left(concat_ws(' ', r.{first}, r.{second}), {LONGEST_TEXT})))) AS word "
                f"WHERE {written} ON CONFLICT DO NOTHING",
                params,
            )


def words_of(text: str) -> list[str]:
    """As Postgres's parser finds them in a record, so that indexing and search agree."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(to_tsvector('simple', %s))", [text[:200]])
        found: list[str] = cursor.fetchone()[0]
    return [word for word in found if len(word) >= SHORTEST or word.isdigit()][:MOST_WORDS]


def search(
    company_id: int, rights: Mapping[int, Rights], text: str, *, kind: str = ""
) -> list[Found]:
    """Inside tenant(). Records with a word beginning with each of the words.

    At most CANDIDATES of them, by kind, and within each kind the newest first.
    """
    words = words_of(text)
    if not words:
        return []
    allowed = [name for name in searchable(rights) if kind in ("", name)]
    if not allowed:
        return []
    # The longest word is usually the rarest; each of its records is checked for the other words.
    first, *others = sorted(words, key=len, reverse=True)
    rows = SearchWord.objects.filter(_begins(first), company_id=company_id)
    rows = rows.filter(reduce(or_, (_seen(company_id, name, rights) for name in allowed)))
    for word in others:
        same = {name: OuterRef(name) for name in ("project_id", "resource", "remote_id")}
        beside = SearchWord.objects.filter(_begins(word), company_id=company_id, **same)
        rows = rows.filter(Exists(beside))
    # Unordered, so that the search ends as soon as it has found enough.
    found = set(rows.values_list("resource", "remote_id")[:CANDIDATES])
    place = {resource: number for number, resource in enumerate(SEARCHED)}
    return sorted(found, key=lambda each: (place[each[0]], -each[1]))


def _seen(company_id: int, resource: str, rights: Mapping[int, Rights]) -> Q:
    """Words of records that the viewer may see; checked only where some may be private."""
    model = RESOURCES[resource]
    tool = model.spec.tool
    whole = {key: own for key, own in rights.items() if tool in own.administers}
    rest = {key: own for key, own in rights.items() if key not in whole and tool in own.tools}
    allowed = Q(resource=resource, project_id__among=set(whole))
    if rest:
        records: Any = model._base_manager.filter(
            company_id=company_id, remote_id=OuterRef("remote_id")
        )
        shown = Exists(seen_by(records, rest))
        allowed |= Q(shown, resource=resource, project_id__among=set(rest))
    return allowed


def hits_of(company_id: int, rights: Mapping[int, Rights], found: Sequence[Found]) -> list[Hit]:
    """Inside tenant(): the records of one page of results, in order."""
    by_resource: dict[str, list[int]] = defaultdict(list)
    for resource, key in found:
        by_resource[resource].append(key)
    records: dict[Found, SourceRecord] = {}
    for resource, keys in by_resource.items():
        rows: Any = RESOURCES[resource]._base_manager
        for row in seen_by(rows.filter(company_id=company_id, remote_id__in=keys), rights):
            records[resource, row.remote_id] = row
    return [_hit(each[0], records[each]) for each in found if each in records]


def _hit(resource: str, record: SourceRecord) -> Hit:
    first, second = SEARCHED[resource]
    return Hit(resource, str(getattr(record, first)), str(getattr(record, second)), record)


def searchable(rights: Mapping[int, Rights]) -> list[str]:
    """The kinds for which the viewer has the tool on at least one project."""
    tools = {tool for own in rights.values() for tool in own.tools}
    return [name for name in SEARCHED if RESOURCES[name].spec.tool in tools]


def _begins(word: str) -> Q:
    """A range rather than LIKE: it goes through the index under row-level security."""
    return Q(word__gte=word, word__lt=word + "\U0010ffff")
