"""Pins a budget view for a company, or removes the pin."""

from collections.abc import Iterable

from integrations.procore.resources.budget_columns import BudgetColumn
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.budget_views import View
from integrations.procore.sync.budget_choice import BudgetViewChoice, budget_cursors
from integrations.procore.sync.schedule import make_read_due
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.tenancy.context import tenant


def pin_view(*, company_id: int, view: View, columns: Iterable[BudgetColumn], actor: str) -> None:
    """Soon reads all budgets again in it; projects without it keep the standard one."""
    chosen = [{"meaning": c.meaning, "id": c.id, "name": c.name} for c in columns]
    with tenant(company_id):
        BudgetViewChoice.objects.filter(company_id=company_id).delete()
        BudgetViewChoice.objects.create(
            company_id=company_id,
            view_id=view.id,
            view_name=view.name,
            columns=chosen,
            chosen_at=clock.now(),
            chosen_by=actor,
        )
        names = ", ".join(f"{c['meaning']}={c['name']}" for c in chosen)
        event = Event.BUDGET_VIEW_CHOSEN
        record(event, actor=actor, company_id=company_id, view=view.name, columns=names)
        _read_again(company_id)


def unpin_view(*, company_id: int, actor: str) -> None:
    """Each project's standard view is read again. Does nothing where none is pinned."""
    with tenant(company_id):
        if BudgetViewChoice.objects.filter(company_id=company_id).delete()[0]:
            event = Event.BUDGET_VIEW_CHOSEN
            record(event, actor=actor, company_id=company_id, view="", columns="")
            _read_again(company_id)


def _read_again(company_id: int) -> None:
    budget_cursors(company_id).update(via_id=None, via_fallback=False)
    for project_id in budget_cursors(company_id).values_list("project_id", flat=True):
        make_read_due(company_id=company_id, resource=BudgetRow.spec.name, project_id=project_id)
