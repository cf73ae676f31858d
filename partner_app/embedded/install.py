"""Completes a sign-in: a viewer gets a session, an administrator a connected company."""

from dataclasses import dataclass

from integrations.procore.api.errors import ProcoreError
from integrations.procore.sync.schedule import make_due
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.connections.access import service_client, service_listed
from partner_app.connections.authorize import (
    SignedIn,
    choices,
    finish_choice,
)
from partner_app.connections.errors import NoCompany, NotMember
from partner_app.connections.leave import finish_leaving
from partner_app.connections.lookups import look_for
from partner_app.connections.models import ConnectionKind
from partner_app.connections.refresh import store_tokens
from partner_app.embedded.entitlement import forget
from partner_app.embedded.session import Viewer, greet, issue_code
from partner_app.tenancy.access import end_access
from partner_app.tenancy.lifecycle import note_connected, note_connecting, note_installed


@dataclass(frozen=True)
class Welcome:
    """What the last page of a sign-in shows and, in a pop-up, passes to the frame."""

    company_name: str
    code: str
    popup: bool


def sign_viewer_in(signed_in: SignedIn) -> Welcome | None:
    """None when the company is not connected yet: this then becomes an installation.

    Raises NotMember when Procore does not list the company for this person.
    """
    company_id = signed_in.attempt.company_hint
    if company_id is None:
        raise NotMember
    if company_id not in signed_in.companies:
        person = signed_in.person.remote_user_id
        end_access(company_id=company_id, remote_user_id=person)
        raise NotMember
    if not look_for(company_id):
        return None
    return _welcome(signed_in, company_id, ConnectionKind.VIEWER)


def connect_company(signed_in: SignedIn, *, company_id: int) -> Welcome:
    """Raises NoCompany, StateReplayed, ProcoreError."""
    chosen = next((c for c in choices(signed_in) if c.company_id == company_id), None)
    if chosen is None or chosen.obstacle:
        raise NoCompany
    finish_choice(signed_in.attempt)
    service = service_listed(company_id)
    finish_leaving(company_id)
    note_installed(company_id=company_id, name=chosen.name)
    note_connecting(company_id=company_id)
    welcome = _welcome(
        signed_in, company_id, ConnectionKind.VIEWER if service else ConnectionKind.INSTALLER
    )
    if service:
        _prove_service(company_id)
    note_connected(
        company_id=company_id,
        actor=f"procore:{signed_in.person.remote_user_id}",
    )
    make_due(company_id=company_id)
    return welcome


def _prove_service(company_id: int) -> None:
    """Creates the service connection; the next sync corrects a failure here."""
    try:
        service_client(company_id).get("/rest/v1.0/companies")
    except ProcoreError:
        return


def _welcome(signed_in: SignedIn, company_id: int, kind: ConnectionKind) -> Welcome:
    viewer = Viewer(company_id, signed_in.person.remote_user_id)
    store_tokens(
        company_id=company_id,
        kind=kind,
        remote_user_id=viewer.remote_user_id,
        pair=signed_in.pair,
    )
    forget(viewer)
    greet(viewer, signed_in.person.name)
    record(Event.VIEWER_SIGNED_IN, actor=viewer.actor, company_id=company_id)
    nonce = signed_in.attempt.nonce_hash
    code = issue_code(nonce_hash=bytes(nonce), viewer=viewer) if nonce else ""
    return Welcome(signed_in.companies[company_id], code, signed_in.attempt.popup)
