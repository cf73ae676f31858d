"""A refresh token is used once, whatever happens; every connection ends in a known state."""

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection as database_connection

from integrations.procore.api.errors import ProcoreError, Unreachable
from integrations.procore.api.oauth import TokenPair
from partner_app.audit.models import AuditEvent
from partner_app.connections.access import app_client
from partner_app.connections.discover import discover
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.login import oauth
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.connections.refresh import AHEAD, JITTER, Key, access_token, store_tokens
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import note_installed
from partner_app.tenancy.models import Company
from tests.procore import Procore

USER = 77
WORKERS = 64
FAULTS = ("reset_before", "reset_after", "truncate", "html", "status")


@pytest.fixture
def company_id(procore: Procore) -> int:
    note_installed(company_id=procore.company_id, name="Halden Bay Builders")
    return procore.company_id


@pytest.fixture
def grant(procore: Procore, company_id: int) -> TokenPair:
    """An administrator's own grant, stored, about to expire."""
    return store_expired(procore, company_id)


def store_expired(procore: Procore, company_id: int) -> TokenPair:
    person = procore.person("admin")["id"]
    address = procore.authorization_address()
    tokens = procore.tokens(
        grant_type="authorization_code",
        code=procore.authorize(address, person)["code"],
        redirect_uri=procore.redirect_uri,
    )
    pair = TokenPair(tokens["access_token"], tokens["refresh_token"], clock.now())
    store_tokens(
        company_id=company_id, kind=ConnectionKind.INSTALLER, remote_user_id=USER, pair=pair
    )
    return pair


def ask(company_id: int, refused: str | None = None) -> str:
    return access_token(
        company_id=company_id,
        kind=ConnectionKind.INSTALLER,
        remote_user_id=USER,
        refused=refused,
    )


def row(company_id: int) -> Connection:
    with tenant(company_id):
        return Connection.objects.get(kind=ConnectionKind.INSTALLER)


def refreshes(procore: Procore) -> int:
    return sum(call["path"] == "/oauth/token" for call in procore.ledger())


def test_a_living_token_is_used_without_a_call(
    company_id: int, grant: TokenPair, procore: Procore
) -> None:
    with tenant(company_id):
        Connection.objects.update(expires_at=clock.now() + timedelta(hours=1))
    procore.control("clear", all=True)
    assert ask(company_id) == grant.access_token
    assert refreshes(procore) == 0


def test_64_workers_on_an_expired_token_cause_exactly_one_refresh(
    company_id: int, grant: TokenPair, procore: Procore
) -> None:
    procore.control("clear", all=True)
    procore.control("faults", kind="delay", method="POST", path="/oauth/token", seconds=0.5)
    start = threading.Barrier(WORKERS)

    def worker(_number: int) -> str:
        start.wait()
        try:
            return ask(company_id)
        finally:
            database_connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        tokens = set(pool.map(worker, range(WORKERS)))
    assert len(tokens) == 1
    assert refreshes(procore) == 1
    assert row(company_id).generation == 2
    assert procore.violations() == []


def test_it_renews_ahead_of_expiry_each_connection_at_its_own_moment() -> None:
    aheads = {Key(1, ConnectionKind.VIEWER, user).ahead for user in range(50)}
    assert len(aheads) > 30
    assert min(aheads) >= AHEAD
    assert max(aheads) <= AHEAD + JITTER
    assert Key(1, ConnectionKind.VIEWER, 5).ahead == Key(1, ConnectionKind.VIEWER, 5).ahead


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "html", "status", "reset_before"])
def test_a_lost_answer_ends_in_reconnect_needed_and_nothing_is_tried_again(
    company_id: int, grant: TokenPair, procore: Procore, kind: str
) -> None:
    procore.control("faults", kind=kind, method="POST", path="/oauth/token", status=502)
    for _ in range(3):
        with pytest.raises(ReconnectNeeded):
            ask(company_id)
    assert refreshes(procore) <= 2  # that of the sign-in, and one refresh
    assert row(company_id).last_error == "access.answer_lost"
    assert AuditEvent.objects.filter(event="connection.broken").count() == 1
    assert procore.violations() == []
    # One sign-in reconnects.
    store_expired(procore, company_id)
    assert ask(company_id)


def test_a_process_that_dies_while_it_refreshes_leaves_a_token_that_nobody_uses_again(
    company_id: int, grant: TokenPair, procore: Procore
) -> None:
    with tenant(company_id):
        Connection.objects.update(
            spent_at=clock.now() - timedelta(minutes=1), spent_by=uuid.uuid4()
        )
    oauth().refresh(str(grant.refresh_token))  # what the process did before it died
    procore.control("clear", all=True)
    with pytest.raises(ReconnectNeeded):
        ask(company_id)
    assert refreshes(procore) == 0


def test_a_refused_grant_is_not_tried_again(
    company_id: int, grant: TokenPair, procore: Procore
) -> None:
    oauth().revoke(grant.access_token)
    procore.control("clear", all=True)
    for _ in range(3):
        with pytest.raises(ReconnectNeeded):
            ask(company_id)
    assert refreshes(procore) == 1
    assert row(company_id).last_error == "procore.grant_refused"


def test_a_wrong_clock_on_either_side_costs_no_grant(
    company_id: int, grant: TokenPair, procore: Procore
) -> None:
    procore.control("clock", skew_seconds=3600)
    token = ask(company_id)
    with tenant(company_id):
        stored = row(company_id)
    assert stored.expires_at > clock.now() + timedelta(minutes=80)  # by our own clock
    procore.control("clock", skew_seconds=7200)  # yet for Procore the token has expired
    assert ask(company_id, refused=token) != token
    assert procore.violations() == []


def test_a_lost_authorisation_is_replaced_by_the_service_account_where_there_is_one(
    company_id: int, grant: TokenPair, procore: Procore
) -> None:
    oauth().revoke(grant.access_token)
    with pytest.raises(ReconnectNeeded):
        ask(company_id)
    client = app_client(company_id)
    assert client.get("/rest/v1.1/projects", company_id=company_id)
    procore.control(
        "installs", company_id=company_id, permitted_projects="all", service_account=False
    )
    with tenant(company_id):
        Connection.objects.filter(kind=ConnectionKind.SERVICE).delete()
    with pytest.raises(ReconnectNeeded):
        app_client(company_id)


def test_a_company_that_needs_a_person_recovers_when_its_service_account_is_found(
    company_id: int, grant: TokenPair, procore: Procore
) -> None:
    Company.objects.update(state="reconnect_needed")
    discover()
    assert Company.objects.get(id=company_id).state == "active"


def test_a_thousand_seeded_faults_cause_no_second_use_and_no_loop(
    company_id: int, procore: Procore
) -> None:
    rng = random.Random(20261124)
    store_expired(procore, company_id)
    broken = 0
    for _ in range(1000):
        if rng.random() < 0.8:
            procore.control(
                "faults", kind=rng.choice(FAULTS), method="POST", path="/oauth/token", status=503
            )
        before = row(company_id)
        try:
            ask(company_id)
        except (ReconnectNeeded, Unreachable, ProcoreError):
            after = row(company_id)
            assert after.broken_at, "an error without a broken connection would be tried again"
            broken += 1
            procore.control("clear-faults", all=True)
            store_expired(procore, company_id)
            continue
        after = row(company_id)
        assert after.broken_at is None
        assert after.generation == before.generation + 1
        with tenant(company_id):
            Connection.objects.update(expires_at=clock.now())
    assert 500 < broken < 1000
    assert [v for v in procore.violations() if v["kind"] == "reused_refresh_token"] == []
