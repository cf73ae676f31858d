"""States of a company, and the lawful moves between them."""

from datetime import timedelta

from django.db import transaction

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.tenancy.errors import CompanyUnknown
from partner_app.tenancy.models import Company, CompanyState

GRACE = timedelta(days=30)  # between uninstall and purge [product.md, Leave]


def company_or_error(company_id: int) -> Company:
    """Raises CompanyUnknown."""
    company = Company.objects.filter(id=company_id).first()
    if company is None:
        raise CompanyUnknown(company_id=company_id)
    return company


@transaction.atomic
def note_installed(*, company_id: int, name: str) -> bool:
    """Procore says the app is installed there. True when that is news."""
    company = Company.objects.select_for_update().filter(id=company_id).first()
    if company is None:
        Company.objects.create(
            id=company_id, name=name, state=CompanyState.DISCOVERED, state_since=clock.now()
        )
        record(Event.COMPANY_DISCOVERED, actor="procore", company_id=company_id)
        return True
    news = company.state == CompanyState.GONE
    if news:
        _move(company, CompanyState.DISCOVERED)
        company.purge_after = None
        record(Event.COMPANY_DISCOVERED, actor="procore", company_id=company_id)
    company.name = name
    company.save()
    return news


@transaction.atomic
def note_connected(*, company_id: int, name: str, actor: str) -> None:
    company, _ = Company.objects.select_for_update().get_or_create(
        id=company_id, defaults={"name": name, "state_since": clock.now()}
    )
    if company.state != CompanyState.CONNECTED:
        _move(company, CompanyState.CONNECTED)
        record(Event.COMPANY_CONNECTED, actor=actor, company_id=company_id)
    company.name = name
    company.purge_after = None
    company.save()


@transaction.atomic
def note_gone(*, company_id: int) -> bool:
    """The company uninstalled us: calls stop now, data goes after the grace period."""
    company = Company.objects.select_for_update().filter(id=company_id).first()
    if company is None or company.state == CompanyState.GONE:
        return False
    _move(company, CompanyState.GONE)
    company.purge_after = clock.now() + GRACE
    company.save()
    record(Event.COMPANY_GONE, actor="procore", company_id=company_id)
    return True


@transaction.atomic
def note_reconnect_needed(*, company_id: int) -> None:
    company = Company.objects.select_for_update().get(id=company_id)
    if company.state == CompanyState.CONNECTED:
        _move(company, CompanyState.RECONNECT_NEEDED)
        company.save()
        record(Event.RECONNECT_NEEDED, actor="system", company_id=company_id)


def _move(company: Company, state: CompanyState) -> None:
    company.state = state
    company.state_since = clock.now()
