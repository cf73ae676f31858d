"""What keeps a resource from being fresh, in words; opened and closed by what syncs meet."""

from django.db.models import Count, Q

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.sync.budget_choice import choice_of, pinned_view_gone
from integrations.procore.sync.models import Incident, SyncRun
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant

VIEW_GONE = "budget.view_gone"


def note_view(run: SyncRun) -> None:
    """The budget view that the company pinned: open once while no project has it any more."""
    with tenant(run.company_id):
        gone, name = pinned_view_gone(run.company_id), choice_of(run.company_id).name
    key = {"company_id": run.company_id, "resource": BudgetRow.spec.name, "code": VIEW_GONE}
    now = clock.now()
    if not gone:
        Incident.objects.filter(**key, closed_at=None).update(closed_at=now)
        return
    words = {
        "message": f"No project has the budget view “{name}” any more; the standard view is read.",
        "remedy": "A company administrator chooses a view again under Settings, Budget view.",
        "seen_at": now,
    }
    Incident.objects.update_or_create(
        **key, closed_at=None, defaults=words, create_defaults={**words, "opened_at": now}
    )


def note_incidents(run: SyncRun) -> None:
    """After a run: what failed is open, what was read without fault is over."""
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
    read = set(run.steps.filter(error="").values_list("resource", flat=True))
    over = Incident.objects.filter(company_id=run.company_id, closed_at=None, resource__in=read)
    over = over.exclude(code=VIEW_GONE)
    for row in failed:
        over = over.exclude(resource=row["resource"], code=row["error_code"])
    if run.mode != "full":  # a part that is refused is not asked again before the next full sync
        over = over.exclude(code="procore.forbidden").exclude(code="procore.not_found")
    closed = over.update(closed_at=now)
    if closed:
        log.info("incident.closed", company_id=run.company_id, count=closed)
