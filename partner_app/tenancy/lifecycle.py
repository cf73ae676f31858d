"""States of a company, the permitted transitions, and the signals that cause them.

discovered ─► connecting ─► active ◄─► degraded
    ▲             ▲           │  ▲        │
    │             │           ▼  │        ▼
    │             └────── reconnect needed
    │                         │
    │  reinstalled            ▼ (from any of them)
    └───────────── grace ◄─ disconnected
                     │
                     ▼
                   purged: no row is left
"""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.tenancy.access import end_access
from partner_app.tenancy.errors import CompanyUnknown, MoveUnlawful
from partner_app.tenancy.models import Company, CompanyState, Installation

S = CompanyState
MOVES: Mapping[CompanyState, frozenset[CompanyState]] = {
    S.DISCOVERED: frozenset({S.CONNECTING, S.ACTIVE, S.DISCONNECTED}),
    S.CONNECTING: frozenset({S.ACTIVE, S.DISCOVERED, S.DISCONNECTED}),
    S.ACTIVE: frozenset({S.DEGRADED, S.RECONNECT_NEEDED, S.DISCONNECTED}),
    S.DEGRADED: frozenset({S.ACTIVE, S.RECONNECT_NEEDED, S.DISCONNECTED}),
    S.RECONNECT_NEEDED: frozenset({S.CONNECTING, S.ACTIVE, S.DISCONNECTED}),
    S.DISCONNECTED: frozenset({S.GRACE, S.DISCOVERED}),
    S.GRACE: frozenset({S.DISCOVERED}),
}


def company_or_error(company_id: int, *, lock: bool = False) -> Company:
    """Raises CompanyUnknown."""
    company = _locked(company_id) if lock else Company.objects.filter(id=company_id).first()
    if company is None:
        raise CompanyUnknown(company_id=company_id)
    return company


@transaction.atomic
def note_installed(*, company_id: int, name: str) -> bool:
    """Records that Procore lists the app as installed. True when that is new."""
    now = clock.now()
    company = _locked(company_id)
    name = name or (company.name if company else f"Company {company_id}")  # it may not be readable
    if company is None:
        company = Company.objects.create(id=company_id, name=name, state_since=now)
        record(Event.COMPANY_DISCOVERED, actor="procore", company_id=company_id)
    elif company.state in {S.DISCONNECTED, S.GRACE}:
        _move(company, S.DISCOVERED)
        company.purge_after = None
        record(Event.COMPANY_REINSTALLED, actor="procore", company_id=company_id)
    else:
        if company.name != name:
            company.name = name
            company.save(update_fields=["name"])
        return False
    company.name = name
    company.save()
    Installation.objects.get_or_create(
        company=company, uninstalled_at=None, defaults={"installed_at": now}
    )
    return True


@transaction.atomic
def note_connecting(*, company_id: int) -> None:
    """An administrator has chosen the company; its connection is being checked."""
    company = _locked(company_id)
    if company and company.state in {S.DISCOVERED, S.RECONNECT_NEEDED}:
        _move(company, S.CONNECTING)
        company.save()


@transaction.atomic
def note_connected(*, company_id: int, actor: str) -> None:
    """A call with the company's connection has succeeded."""
    company = _locked(company_id)
    if company is None:
        raise CompanyUnknown(company_id=company_id)
    if company.state in {S.DISCOVERED, S.CONNECTING, S.RECONNECT_NEEDED}:
        _move(company, S.ACTIVE)
        company.purge_after = None
        company.save()
        record(Event.COMPANY_CONNECTED, actor=actor, company_id=company_id)


@transaction.atomic
def note_health(*, company_id: int, reason: str) -> None:
    """How a sync ended: `reason` in words when Procore withholds a part, else empty."""
    company = _locked(company_id)
    if company is None or company.state not in {S.ACTIVE, S.DEGRADED}:
        return
    wanted = S.DEGRADED if reason else S.ACTIVE
    if company.state != wanted or company.state_reason != reason:
        if company.state != wanted:
            _move(company, wanted)
            event = Event.COMPANY_DEGRADED if reason else Event.COMPANY_RECOVERED
            record(event, actor="system", company_id=company_id)
        company.state_reason = reason
        company.save()


@transaction.atomic
def note_reconnect_needed(*, company_id: int) -> None:
    company = _locked(company_id)
    if company and company.state in {S.ACTIVE, S.DEGRADED}:
        _move(company, S.RECONNECT_NEEDED)
        company.save()
        record(Event.RECONNECT_NEEDED, actor="system", company_id=company_id)


@transaction.atomic
def note_gone(*, company_id: int) -> bool:
    """The company uninstalled us: no calls to Procore for it from now on. True when that is new.

    Everyone is signed out in the same transaction, so nobody is signed in after a reinstall.
    """
    company = _locked(company_id)
    if company is None or company.state in {S.DISCONNECTED, S.GRACE}:
        return False
    _move(company, S.DISCONNECTED)
    company.save()
    end_access(company_id=company_id)
    Installation.objects.filter(company=company, uninstalled_at=None).update(
        uninstalled_at=clock.now()
    )
    record(Event.COMPANY_GONE, actor="procore", company_id=company_id)
    return True


@transaction.atomic
def note_closed_down(*, company_id: int) -> None:
    """Tokens are revoked; the data is kept for a return until its purge."""
    company = _locked(company_id)
    if company and company.state == S.DISCONNECTED:
        _move(company, S.GRACE)
        company.purge_after = clock.now() + timedelta(days=company.grace_days)
        company.save()


@transaction.atomic
def pause(*, company_id: int, actor: str) -> None:
    """No sync starts until it is resumed; people still see the existing data."""
    if Company.objects.filter(id=company_id, paused_at=None).update(paused_at=clock.now()):
        record(Event.COMPANY_PAUSED, actor=actor, company_id=company_id)


@transaction.atomic
def resume(*, company_id: int, actor: str) -> None:
    if Company.objects.filter(id=company_id).exclude(paused_at=None).update(paused_at=None):
        record(Event.COMPANY_RESUMED, actor=actor, company_id=company_id)


@transaction.atomic
def schedule_purge(*, company_id: int, actor: str = "operator") -> dict[str, object]:
    """An operator starts the grace period of a company, whatever its state."""
    company = company_or_error(company_id)
    company.purge_after = clock.now() + timedelta(days=company.grace_days)
    company.save(update_fields=["purge_after"])
    record(Event.PURGE_SCHEDULED, actor=actor, company_id=company_id)
    return {"company_id": company_id, "purge_after": company.purge_after.isoformat()}


@transaction.atomic
def change_grace(*, company_id: int, days: int, actor: str) -> None:
    """How many days the data is kept after an uninstall: 0 to 30."""
    Company.objects.filter(id=company_id).update(grace_days=days)
    record(Event.SETTINGS_CHANGED, actor=actor, company_id=company_id, grace_days=days)


@transaction.atomic
def change_duties(*, company_id: int, apart: bool, actor: str) -> None:
    """Whether writing a plan to a budget takes two people, and undoing it as well."""
    Company.objects.filter(id=company_id).update(duties_apart=apart)
    record(Event.SETTINGS_CHANGED, actor=actor, company_id=company_id, duties_apart=apart)


def _locked(company_id: int) -> Company | None:
    return Company.objects.select_for_update().filter(id=company_id).first()


def _move(company: Company, state: CompanyState) -> None:
    """Raises MoveUnlawful."""
    before = CompanyState(company.state)
    if state not in MOVES[before]:
        raise MoveUnlawful(before=before.label, after=state.label)
    company.state, company.state_since, company.state_reason = state, clock.now(), ""
