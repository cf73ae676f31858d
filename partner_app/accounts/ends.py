"""Lets an operator sign others out: after a loss, a leak, or when a person leaves."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction

from partner_app.accounts.errors import AdminUnknown
from partner_app.accounts.models import PartnerAdmin
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.tenancy.access import end_access
from partner_app.tenancy.lifecycle import company_or_error
from partner_app.tenancy.models import Company

OPERATOR = "operator"


@transaction.atomic
def sign_out_company(company_id: int, remote_user_id: int | None = None) -> int:
    """Signs out all people of a company, or one; the number of deleted rows.

    Raises CompanyUnknown.
    """
    company_or_error(company_id)
    ended = end_access(company_id=company_id, remote_user_id=remote_user_id)
    subject = "" if remote_user_id is None else f"procore:{remote_user_id}"
    record(Event.ACCESS_ENDED, actor=OPERATOR, company_id=company_id, subject=subject, ended=ended)
    return ended


@transaction.atomic
def sign_out_admin(username: str) -> int:
    """Ends every session of a partner admin; the number of sessions. Raises AdminUnknown."""
    admin = PartnerAdmin.objects.filter(user__username=username).first()
    if admin is None:
        raise AdminUnknown(username=username)
    ended = 0
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(admin.user_id):
            session.delete()
            ended += 1
    record(Event.ACCESS_ENDED, actor=OPERATOR, company_id=None, subject=admin.actor, ended=ended)
    return ended


@transaction.atomic
def sign_out_everybody() -> int:
    """Signs out everyone, in every company and on the dashboard; the number of deleted rows."""
    ended = sum(
        end_access(company_id=each) for each in Company.objects.values_list("id", flat=True)
    )
    ended += Session.objects.all().delete()[0]
    record(Event.ACCESS_ENDED, actor=OPERATOR, company_id=None, subject="everybody", ended=ended)
    return ended
