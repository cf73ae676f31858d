"""The one way to write an audit event: in the caller's transaction, so both commit or neither."""

from partner_app.audit.events import Event
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.core.client_ip import current_address


def record(
    event: Event, *, actor: str, company_id: int | None, subject: str = "", **facts: str | int
) -> None:
    """`actor` is "operator", "system", "procore", "procore:<user id>" or "partner:<name>"."""
    AuditEvent.objects.create(
        at=clock.now(),
        company_id=company_id,
        actor=actor,
        event=event,
        address=current_address(),
        subject=subject,
        facts=facts,
    )
