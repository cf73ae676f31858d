"""Records, and fields of records, that could not be read: by place and shape, never by value.

A record that was set aside keeps its former copy in the mirror. It is tried again when it changes
and when the reading code has changed; once readable, it leaves the quarantine.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from integrations.procore.resources.decoding import Fault
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.release import RELEASE
from integrations.procore.sync.models import Quarantine
from partner_app.core import clock
from partner_app.tenancy.context import tenant

Key = tuple[str, int]  # resource, project (0: the company)


@dataclass(frozen=True)
class ReadRecords:
    """Records received for one place, and what could not be read of them."""

    key: Key
    began: datetime  # of the reading that they belong to
    ids: Collection[int]
    faults: Collection[Fault]


@dataclass(frozen=True)
class UnreadMark:
    """`count` of `total` records could not be read, or not in full; all of these `resources`."""

    count: int
    total: int
    resources: list[str]


def places_in_quarantine(company_id: int) -> set[Key]:
    found = Quarantine.objects.filter(company_id=company_id)
    return set(found.values_list("resource", "project_id").distinct())


def places_to_try_again(company_id: int) -> set[Key]:
    """Where another version of the reading code found something unreadable."""
    found = Quarantine.objects.filter(company_id=company_id).exclude(release=RELEASE)
    return set(found.values_list("resource", "project_id").distinct())


def note_shown(company_id: int, shown: ReadRecords) -> None:
    """In the writing transaction: readable records leave, unreadable ones enter."""
    now = clock.now()
    nameless = Q(remote_id=None)
    here = _of(company_id, shown.key).filter(Q(remote_id__in=shown.ids) | nameless)
    former = {(row.remote_id, row.field): row for row in here}
    counts = Counter((fault.remote_id, fault.field) for fault in shown.faults)
    wanted = {(fault.remote_id, fault.field): fault for fault in shown.faults}
    well = [row.id for key, row in former.items() if key[0] is not None and key not in wanted]
    Quarantine.objects.filter(id__in=well).delete()
    rows = []
    for key, fault in wanted.items():
        before = former.get(key)
        same_reading = key[0] is None and before and before.last_seen_at >= shown.began
        rows.append(
            Quarantine(
                company_id=company_id,
                resource=shown.key[0],
                project_id=shown.key[1],
                remote_id=fault.remote_id,
                field=fault.field,
                shape=fault.shape,
                set_aside=fault.set_aside,
                records=counts[key] + (before.records if same_reading and before else 0)
                if key[0] is None
                else 1,
                release=RELEASE,
                first_seen_at=now,
                last_seen_at=now,
            )
        )
    Quarantine.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["company", "resource", "project_id", "remote_id", "field"],
        update_fields=["shape", "set_aside", "records", "release", "last_seen_at"],
    )


def forget_gone(company_id: int, key: Key, began: datetime) -> None:
    """After a full reading: removes what it did not meet, or met and could read."""
    _of(company_id, key).filter(last_seen_at__lt=began).delete()


def not_in_mirror(company_id: int, key: Key) -> int:
    """Inside tenant(): records that Procore counts and our mirror cannot hold."""
    aside = _of(company_id, key).filter(set_aside=True)
    ids = {key for key in aside.values_list("remote_id", flat=True) if key is not None}
    mirror = RESOURCES[key[0]]._base_manager.filter(company_id=company_id, remote_id__in=ids)
    nameless = aside.filter(remote_id=None).aggregate(sum=Coalesce(Sum("records"), 0))["sum"]
    return len(ids) - mirror.count() + int(nameless)


def records_of(faults: Iterable[Fault]) -> int:
    """How many records these faults concern."""
    found = list(faults)
    named = {fault.remote_id for fault in found if fault.remote_id is not None}
    return len(named) + sum(fault.remote_id is None for fault in found)


def counts_by_place(company_id: int) -> dict[Key, int]:
    """How many records of each place could not be read, or not completely."""
    rows = Quarantine.objects.filter(company_id=company_id).order_by()
    found = rows.values_list("resource", "project_id").annotate(
        named=Count("remote_id", distinct=True),
        nameless=Coalesce(Sum("records", filter=Q(remote_id=None)), 0),
    )
    return {(name, place): named + nameless for name, place, named, nameless in found}


def counts_by_resource(company_id: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for (name, _), count in counts_by_place(company_id).items():
        found[name] += count
    return found


def unread_mark(company_id: int) -> UnreadMark | None:
    """None where all could be read. For the freshness mark of pages."""
    places = counts_by_place(company_id)
    if not places:
        return None
    names = {name for name, _ in places}
    with tenant(company_id):
        stored = sum(
            RESOURCES[name]._base_manager.filter(company_id=company_id).count() for name in names
        )
        total = stored + sum(not_in_mirror(company_id, key) for key in places)
    return UnreadMark(sum(places.values()), total, [name for name in RESOURCES if name in names])


def _of(company_id: int, key: Key) -> "QuerySet[Quarantine]":
    resource, project_id = key
    return Quarantine.objects.filter(
        company_id=company_id, resource=resource, project_id=project_id
    )
