"""Why a resource is not fresh, in words; opened and closed by what syncs find."""

from collections import defaultdict
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.sync.budget_choice import choice_of, pinned_view_gone
from integrations.procore.sync.models import (
    Absence,
    Incident,
    Permission,
    Reason,
    SyncCursor,
    SyncRun,
)
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant

VIEW_GONE = "budget.view_gone"
# Codes of errors that end the reading of a list; other incidents close where they were opened.
FROM_LISTS = Q(code__startswith="procore.") | Q(code__startswith="resource.")


def note_view(run: SyncRun) -> None:
    """The budget view that the company pinned: one open incident while no project has it."""
    with tenant(run.company_id):
        gone, name = pinned_view_gone(run.company_id), choice_of(run.company_id).name
    key = {"company_id": run.company_id, "resource": BudgetRow.spec.name, "code": VIEW_GONE}
    now = clock.now()
    if not gone:
        Incident.objects.filter(**key, closed_at=None).update(closed_at=now)
        return
    words = {
        "message": f"No project has the budget view “{name}” any more; the standard view is used.",
        "remedy": "A company administrator can choose a view again under Settings, Budget view.",
        "seen_at": now,
    }
    Incident.objects.update_or_create(
        **key, closed_at=None, defaults=words, create_defaults={**words, "opened_at": now}
    )


IN_DOUBT = "sync.in_doubt"
MESSAGES = {
    Reason.EMPTY: "Procore shows an empty list where {missing} records were.",
    Reason.SHRUNK: "Procore no longer lists {missing} records that were here.",
    Reason.HIDDEN: "Procore no longer finds the list of {missing} records that are here.",
    Reason.FORBIDDEN: "Procore no longer lets the app read {missing} records that are here.",
    Reason.NOT_PERMITTED: "Procore no longer lists projects with {missing} records for the app.",
}
KEPT = "They are kept as they were."
GIVE_ACCESS = (
    "Give the app’s service account access to the tool in Procore, or permit the project again."
)
PERMIT = "Permit the projects again in App Management in Procore; an update of the app clears them."
CONFIRM = "If they were deleted in Procore, choose Confirm missing records on the tenant’s page."


def note_incidents(run: SyncRun) -> None:
    """After a run: opens what failed; closes it when no list has that fault any more."""
    now = clock.now()
    failed = list(
        run.steps.exclude(error="")
        .values("resource", "error_code", "error", "error_remedy")
        .annotate(projects=Count("id", filter=~Q(project_id=0)))
    )
    for row in failed:
        incident, opened = Incident.objects.update_or_create(
            company_id=run.company_id,
            resource=row["resource"],
            code=row["error_code"],
            closed_at=None,
            defaults={
                "message": row["error"],
                "remedy": row["error_remedy"],
                "projects": row["projects"],
                "seen_at": now,
            },
            create_defaults={
                "message": row["error"],
                "remedy": row["error_remedy"],
                "projects": row["projects"],
                "seen_at": now,
                "opened_at": now,
            },
        )
        if opened:
            log.info("incident.opened", company_id=run.company_id, code=incident.code)
    trouble = SyncCursor.objects.filter(
        company_id=run.company_id, resource=OuterRef("resource"), trouble=OuterRef("code")
    )
    over = Incident.objects.filter(company_id=run.company_id, closed_at=None)
    over = over.filter(FROM_LISTS, ~Exists(trouble), resource__in=run.steps.values("resource"))
    closed = over.update(closed_at=now)
    if closed:
        log.info("incident.closed", company_id=run.company_id, count=closed)


def note_doubts(company_id: int) -> None:
    """After a run: one open incident for each resource with records in doubt."""
    now = clock.now()
    by_resource: dict[str, list[Absence]] = defaultdict(list)
    for absence in Absence.objects.filter(company_id=company_id).order_by("since", "id"):
        by_resource[absence.resource].append(absence)
    for resource, absences in by_resource.items():
        _open(company_id, resource, absences, now)
    ended = Incident.objects.filter(company_id=company_id, code=IN_DOUBT, closed_at=None)
    ended.exclude(resource__in=by_resource).update(closed_at=now)


def _open(company_id: int, resource: str, absences: list[Absence], now: datetime) -> None:
    """The cause is that of the oldest; the records are summed over all."""
    first = absences[0]
    missing = sum(absence.missing for absence in absences)
    remedy = [KEPT]
    if first.reason == Reason.NOT_PERMITTED:
        remedy.append(PERMIT)
    elif first.withheld or first.permission == Permission.UNKNOWN:
        remedy.append(GIVE_ACCESS)
    content = {
        "message": MESSAGES[Reason(first.reason)].format(missing=f"{missing:,}"),
        "remedy": " ".join([*remedy, CONFIRM]),
        "projects": len({a.project_id for a in absences if a.project_id}),
        "seen_at": now,
    }
    _, opened = Incident.objects.update_or_create(
        company_id=company_id, resource=resource, code=IN_DOUBT, closed_at=None,
        defaults=content, create_defaults={**content, "opened_at": first.since},
    )  # fmt: skip
    if opened:
        log.info("incident.opened", company_id=company_id, code=IN_DOUBT)
