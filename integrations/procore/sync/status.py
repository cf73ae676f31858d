"""The state of each company, for operators and scripts."""

from decimal import Decimal

from django.db.models import Sum

from integrations.procore.resources.budget_codes import rows_of, untied
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.budget_choice import choice_of
from integrations.procore.sync.missing import missing_records
from integrations.procore.sync.models import Absence, DueRead, Incident, SyncCursor, SyncRun
from integrations.procore.sync.quarantine import counts_by_resource
from partner_app.connections.purposes import spent
from partner_app.connections.rates import calls_left
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error
from partner_app.tenancy.models import Company


def status(company_id: int | None) -> dict[str, object]:
    companies = [company_or_error(company_id)] if company_id else Company.objects.order_by("id")
    return {"companies": [_of(company) for company in companies]}


def _of(company: Company) -> dict[str, object]:
    run = SyncRun.objects.filter(company_id=company.id).order_by("-started_at").first()
    fresh: dict[str, dict[str, object]] = {}
    unreadable = counts_by_resource(company.id)
    with tenant(company.id):
        budget = _budget(company.id)
        for name, model in RESOURCES.items():
            oldest = (
                SyncCursor.objects.filter(company_id=company.id, resource=name)
                .exclude(fresh_at=None)
                .order_by("fresh_at")
                .first()
            )
            moment = oldest.fresh_at if oldest else None
            fresh[name] = {
                "suspect": 0,  # missing in Procore's list, and kept
                "records": model._base_manager.filter(company_id=company.id).count(),
                "unreadable": unreadable[name],
                "fresh_at": moment,
                "age_seconds": round((clock.now() - moment).total_seconds()) if moment else None,
            }
    absences = Absence.objects.filter(company_id=company.id)
    suspect = dict(absences.values_list("resource").annotate(number=Sum("missing")).order_by())
    for name, number in suspect.items():
        fresh[name]["suspect"] = number
    told = DueRead.objects.filter(company_id=company.id).order_by("due_at").first()
    incidents = Incident.objects.filter(company_id=company.id, closed_at=None)
    problems = (
        list(run.steps.exclude(error="").values("resource", "project_id", "error")) if run else []
    )
    hour = spent(company.id)
    return {
        "id": company.id,
        "name": company.name,
        "state": company.state,
        "state_since": company.state_since,
        "last_sync": {"state": run.state, "mode": run.mode, "started_at": run.started_at}
        if run
        else None,
        "resources": fresh,
        "budget": budget,
        "problems": problems,
        "missing": missing_records(company.id),
        "incidents": list(
            incidents.order_by("opened_at").values("resource", "message", "remedy", "opened_at")
        ),
        # How long the oldest webhook event has waited to be processed.
        "webhook_lag_seconds": round((clock.now() - told.due_at).total_seconds()) if told else 0,
        "api_calls_left": calls_left(company.id),
        "api_calls_last_hour": hour.calls,
        "api_calls_waiting": [
            {"purpose": each.purpose, "until": each.until, "hourly": each.hourly}
            for each in hour.waits.waiting
        ],
        "api_barred_until": hour.waits.barred_until,
    }


def _budget(company_id: int) -> dict[str, object]:
    """Inside tenant(): the pinned view, and rows that belong to no WBS code, by currency."""
    old = BudgetRow.objects.filter(company_id=company_id, wbs_code_id=None)
    rows, sums = 0, dict[str, Decimal]()
    for project_id in old.order_by().values_list("project_id", flat=True).distinct():
        count, amounts = untied(rows_of(company_id, project_id or 0))
        rows += count
        for currency, amount in amounts.items():
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    cursors = SyncCursor.objects.filter(company_id=company_id, resource=BudgetRow.spec.name)
    return {
        "view": choice_of(company_id).name or None,
        "projects_with_another_view": cursors.filter(via_fallback=True).count(),
        "rows_without_code": rows,
        "without_code": sums,
    }
