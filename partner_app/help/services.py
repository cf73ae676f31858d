"""Stores a question, and records that it has been answered."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from integrations.procore.api.errors import ProcoreError
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.connections.errors import ReconnectNeeded
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.core.mail import MailFailed, deliver
from partner_app.embedded.entitlement import address_of
from partner_app.embedded.session import Viewer
from partner_app.help.diagnostics import diagnose
from partner_app.help.models import SupportRequest


def ask_support(viewer: Viewer, *, text: str, page: str, consent: bool) -> SupportRequest:
    """Stored first, mailed afterwards: a failed mail does not lose the question."""
    try:
        address = address_of(viewer)
    except (ProcoreError, ReconnectNeeded):
        address = ""  # a fault here is often what the question is about
    with transaction.atomic():
        asked = SupportRequest.objects.create(
            company_id=viewer.company_id,
            remote_user_id=viewer.remote_user_id,
            address=address,
            asked_at=clock.now(),
            text=text,
            page=page,
            diagnostics=diagnose(viewer.company_id) if consent else {},
        )
        record(
            Event.SUPPORT_ASKED,
            actor=viewer.actor,
            company_id=viewer.company_id,
            diagnostics="attached" if consent else "none",
        )
    _tell(asked)
    return asked


def _tell(asked: SupportRequest) -> None:
    if not (settings.MAIL and settings.SUPPORT_EMAIL):
        return
    text = f"{asked.text}\n\n{settings.BASE_URL}/dashboard/support/"
    reply_to = [asked.address] if asked.address else None
    title = "A question to Tieback's support"
    try:
        deliver(EmailMessage(title, text, to=[settings.SUPPORT_EMAIL], reply_to=reply_to))
    except MailFailed:
        log.warning("support.mail_failed", company_id=asked.company_id)


def mark_answered(request_id: int, *, by: str) -> None:
    open_one = SupportRequest.objects.filter(id=request_id, answered_at=None)
    open_one.update(answered_at=clock.now(), answered_by=by)
