"""A company lets the partner's support see its data for a time, and sees when it was used."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import models

from partner_app.accounts.errors import NoGrant
from partner_app.accounts.models import SupportGrant
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.tenancy.context import tenant

HOURS = (1, 8, 24, 72)  # for which a company may grant access


def allow_support(*, company_id: int, granted_by: int, hours: int) -> None:
    """A new grant replaces the current one."""
    now = clock.now()
    with tenant(company_id):
        _living(company_id).update(ended_at=now)
        SupportGrant.objects.create(
            company_id=company_id,
            granted_by=granted_by,
            granted_at=now,
            until=now + timedelta(hours=hours),
        )
        record(
            Event.SUPPORT_ALLOWED,
            actor=f"procore:{granted_by}",
            company_id=company_id,
            hours=hours,
        )


def end_support(*, company_id: int, ended_by: int) -> None:
    with tenant(company_id):
        if _living(company_id).update(ended_at=clock.now()):
            record(Event.SUPPORT_ENDED, actor=f"procore:{ended_by}", company_id=company_id)


def living_grant(company_id: int) -> SupportGrant | None:
    with tenant(company_id):
        return _living(company_id).first()


@contextmanager
def under_grant(*, company_id: int, admin: str) -> Iterator[SupportGrant]:
    """The only way for the partner's side to enter a tenant. Raises NoGrant."""
    with tenant(company_id):
        grant = _living(company_id).first()
        if grant is None:
            raise NoGrant
        record(Event.SUPPORT_LOOKED, actor=f"partner:{admin}", company_id=company_id)
        yield grant


def _living(company_id: int) -> models.QuerySet[SupportGrant]:
    return SupportGrant.objects.filter(
        company_id=company_id, ended_at=None, until__gt=clock.now()
    ).order_by("-until")
