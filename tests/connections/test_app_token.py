"""The app has one token for all processes: requested once, and sealed at rest."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from integrations.procore.api.errors import NotSent, ProcoreError, RateLimited, Unreachable
from partner_app.connections.access import app_client, company_lists, service_client
from partner_app.connections.app_token import AHEAD, app_token, new_app_token
from partner_app.connections.discover import discover
from partner_app.connections.models import AppToken
from partner_app.connections.purposes import CallPurpose
from partner_app.core import clock
from tests.house.test_rules import ROOT
from tests.procore import Procore
from tests.waiting import until

THREADS = 64
PROCESSES = 6
ASK = (
    "import django; django.setup(); "
    "from partner_app.connections.app_token import app_token; print(app_token())"
)


def token_calls(procore: Procore) -> int:
    return sum(call["path"] == "/oauth/token" for call in procore.ledger())


def all_at_once(number: int) -> list[str]:
    start = threading.Barrier(number)

    def worker(_number: int) -> str:
        start.wait()
        try:
            return app_token()
        except ProcoreError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(worker, range(number)))


def test_64_that_need_it_at_once_make_one_call(procore: Procore) -> None:
    procore.control("faults", kind="delay", method="POST", path="/oauth/token", seconds=0.5)
    assert len(set(all_at_once(THREADS))) == 1
    assert token_calls(procore) == 1


def test_processes_that_start_together_make_one_call(procore: Procore) -> None:
    procore.control("faults", kind="delay", method="POST", path="/oauth/token", seconds=6)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ASK], cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    tokens = {process.communicate(timeout=60)[0].strip() for process in running}
    assert len(tokens) == 1
    assert tokens != {""}
    assert token_calls(procore) == 1


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncate", "html", "status"])
def test_a_lost_answer_is_asked_for_again(procore: Procore, kind: str) -> None:
    fault = {"kind": kind, "method": "POST", "path": "/oauth/token", "status": 502, "times": 2}
    procore.control("faults", **fault)
    assert len(set(all_at_once(8))) == 1
    assert token_calls(procore) == 3


def test_who_waited_while_another_asked_in_vain_does_not_ask_as_well(procore: Procore) -> None:
    fault = {"kind": "html", "method": "POST", "path": "/oauth/token", "status": 502}
    procore.control("faults", **fault, times=1000)
    assert set(all_at_once(16)) <= {Unreachable.code, "procore.server_trouble"}
    assert token_calls(procore) <= 6
    procore.control("clear-faults", all=True)
    assert app_token()


def test_it_is_kept_sealed_and_renewed_ahead_of_its_end(procore: Procore) -> None:
    token = app_token()
    row = AppToken.objects.get()
    assert token.encode() not in bytes(row.access_token)
    assert app_token() == token
    AppToken.objects.update(expires_at=clock.now() + AHEAD)
    assert app_token() != token
    assert AppToken.objects.get().generation == 2


def test_all_companies_share_it(company: int, procore: Procore) -> None:
    procore.control("clear", all=True)
    for company_id in (company, procore.neighbour_id):
        service_client(company_id).get("/rest/v1.0/companies")
        app_client(company_id, CallPurpose.HOOKS).get("/rest/v1.0/companies")
    company_lists()
    discover()
    assert token_calls(procore) == 0


def test_the_login_host_is_left_alone_for_as_long_as_it_asks(procore: Procore) -> None:
    fault = {"kind": "status", "method": "POST", "path": "/oauth/token", "status": 429}
    procore.control("faults", **fault, retry_after=2)
    with pytest.raises(RateLimited):
        app_token()
    with pytest.raises(NotSent):
        app_token()
    with pytest.raises(NotSent) as caught:
        app_token()
    assert caught.value.until > clock.now()
    assert token_calls(procore) == 1
    clock.wait_until(caught.value.until)
    assert app_token()
    assert procore.violations() == []


def test_while_the_login_host_waits_a_token_serves_to_its_end(procore: Procore) -> None:
    token = app_token()
    fault = {"kind": "status", "method": "POST", "path": "/oauth/token", "status": 503}
    procore.control("faults", **fault, retry_after=2, as_date=True)
    with pytest.raises(ProcoreError):
        new_app_token()
    AppToken.objects.update(expires_at=clock.now() + timedelta(minutes=1))
    assert app_token() == token
    assert procore.violations() == []


def test_a_token_that_another_process_replaced_is_not_used_again(
    company: int, procore: Procore
) -> None:
    """Both clients hold the token in memory, like two workers."""
    procore.control("tokens", one_app_token=True)
    one, two = (app_client(company, CallPurpose.FRESHNESS) for _ in range(2))
    for client in (one, two):
        client.get("/rest/v1.1/projects", company_id=company)
    procore.control("tokens", revoke_app=True)
    procore.control("clear", all=True)
    one.get("/rest/v1.1/projects", company_id=company)  # gets a 401 and renews
    until(lambda: two.bearer.token() == one.bearer.token(), within=0.4)
    two.get("/rest/v1.1/projects", company_id=company)
    assert [call["status"] for call in procore.ledger() if call["path"] != "/oauth/token"] == [
        401,
        200,
        200,
    ]
    assert token_calls(procore) == 1
    assert procore.violations() == []
