"""The one way to write an audit event: in the caller's transaction, so both stand or fall."""

from partner_app.audit.events import Event
from partner_app.audit.models import AuditEvent
from partner_app.core import clock


def record(
    event: Event, *, actor: str, company_id: int | None, subject: str = "", **facts: str | int
) -> None:
    """`actor` is "operator", "system" or "procore:<user id>"."""
    AuditEvent.objects.create(
        at=clock.now(),
        company_id=company_id,
        actor=actor,
        event=event,
        subject=subject,
        facts=facts,
    )
