"""What keeps a resource from being fresh, in words; opened and closed by what syncs meet."""

from django.db.models import Count, Q

from integrations.procore.sync.models import Incident, SyncRun
from partner_app.core import clock
from partner_app.core.logging import log


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
    for row in failed:
        over = over.exclude(resource=row["resource"], code=row["error_code"])
    if run.mode != "full":  # a part that is refused is not asked again before the next full sync
        over = over.exclude(code="procore.forbidden").exclude(code="procore.not_found")
    closed = over.update(closed_at=now)
    if closed:
        log.info("incident.closed", company_id=run.company_id, count=closed)
