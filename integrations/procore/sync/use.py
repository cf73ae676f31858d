"""Which projects are in use: opened by a person, or changed. These are read first."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.models import DueRead, DueWork, ProjectUse
from integrations.procore.sync.order import Use, use_of
from partner_app.core import clock
from partner_app.tenancy.context import tenant

NOTED_ONCE_IN = timedelta(minutes=1)  # a page asks again every few seconds


def note_opened(*, company_id: int, project_id: int) -> None:
    """Records that a page of the project is open. Wakes the company where that was not known."""
    now = clock.now()
    use = ProjectUse.objects.filter(company_id=company_id, project_id=project_id).first()
    if use and use.opened_at and now - use.opened_at < NOTED_ONCE_IN:
        return
    was_open = use is not None and use_of(use.opened_at, None, now) is Use.OPEN
    ProjectUse.objects.update_or_create(
        company_id=company_id, project_id=project_id, defaults={"opened_at": now}
    )
    if not was_open:
        DueRead.objects.filter(company_id=company_id, project_id=project_id).update(due_at=now)
        DueWork.objects.filter(company_id=company_id, due_at__gt=now).update(due_at=now)


def note_changed(company_id: int, changed: Mapping[int, datetime]) -> None:
    """Records the newest Procore stamp of a project's records; in the writing transaction."""
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procore_projectuse AS use (company_id, project_id, changed_at) "
            "SELECT %s, * FROM unnest(%s::bigint[], %s::timestamptz[]) ORDER BY 2 "
            "ON CONFLICT (company_id, project_id) DO UPDATE "
            "SET changed_at = greatest(use.changed_at, EXCLUDED.changed_at)",
            [company_id, list(changed), list(changed.values())],
        )


def uses_of(company_id: int) -> dict[int, Use]:
    """Of all projects that we have; until its records are read, a project's own stamp counts."""
    now = clock.now()
    noted = {
        key: (opened, changed)
        for key, opened, changed in ProjectUse.objects.filter(company_id=company_id).values_list(
            "project_id", "opened_at", "changed_at"
        )
    }
    with tenant(company_id):
        rows = RESOURCES["projects"]._base_manager.filter(company_id=company_id)
        stamps = dict(rows.values_list("remote_id", "remote_updated_at"))
    found = {}
    for key, stamp in stamps.items():
        opened, changed = noted.get(key, (None, None))
        found[key] = use_of(opened, changed or stamp, now)
    return found


def open_projects(company_id: int) -> frozenset[int]:
    since = ProjectUse.objects.filter(company_id=company_id)
    now = clock.now()
    keys = since.exclude(opened_at=None).values_list("project_id", "opened_at")
    return frozenset(key for key, opened in keys if use_of(opened, None, now) is Use.OPEN)
