"""The side panel: from the record open in Procore to what it may cost."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.projects import Project
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from partner_app.embedded.entitlement import Rights, Tool


@dataclass(frozen=True)
class RecordContext:
    """`found` False: the record is not here yet, or the view has nothing to show."""

    kind: str
    title: str = ""
    status: str = ""
    due: date | None = None
    days_late: int = 0
    amount: Decimal | None = None
    waiting_for: str = ""
    found: bool = False


def record_context(
    company_id: int, project: Project, view: str, record_id: int, rights: Rights, today: date
) -> RecordContext:
    """Raises NotEntitled where the viewer lacks the record's tool."""
    here = {"company_id": company_id, "project_id": project.remote_id, "remote_id": record_id}
    if view.startswith("rfi."):
        rights.require(Tool.RFIS)
        rfi = Rfi.objects.filter(**here).first()
        if rfi:
            return RecordContext(
                "RFI", f"{rfi.number}: {rfi.subject}", rfi.status, rfi.due_date,
                _late(rfi.due_date, today) if rfi.status == "open" else 0,
                rfi.cost_impact, rfi.ball_in_court if rfi.status == "open" else "", found=True,
            )  # fmt: skip
        return RecordContext("RFI")
    if view.startswith("submittal_logs."):
        rights.require(Tool.SUBMITTALS)
        submittal = Submittal.objects.filter(**here).first()
        if submittal:
            return RecordContext(
                "Submittal", f"{submittal.number}: {submittal.title}", submittal.status,
                submittal.due_date,
                _late(submittal.due_date, today) if submittal.status == "Open" else 0,
                None, submittal.responsible_contractor, found=True,
            )  # fmt: skip
        return RecordContext("Submittal")
    if view.startswith("change_events."):
        rights.require(Tool.CHANGE_EVENTS)
        event = ChangeEvent.objects.filter(**here).first()
        if event:
            return RecordContext(
                "Change event", f"{event.number}: {event.title}", event.status,
                amount=event.latest_cost, found=True,
            )  # fmt: skip
        return RecordContext("Change event")
    return RecordContext("")


def _late(due: date | None, today: date) -> int:
    return max(0, (today - due).days) if due else 0
