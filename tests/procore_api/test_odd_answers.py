"""Answers in unexpected forms: each reader raises a named error, and calls stay at Procore."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest

from integrations.procore.api.errors import GrantRefused, ProcoreError, RateLimited, Unreadable
from integrations.procore.webhooks.hooks import reconcile
from integrations.procore.webhooks.models import WebhookHook
from partner_app.connections.access import app_client
from partner_app.connections.discover import discover
from partner_app.connections.login import oauth
from partner_app.core.errors import TiebackError
from partner_app.handoffs.live import LiveBudget, read_budget, read_image
from tests.frame import Frame, text_of
from tests.procore import Procore

# Values that may replace any JSON document.
ODD = [
    "null", "[]", "{}", "7", '"text"', "true", "[null]", "[[1], [2]]", "[1, 2]", '{"data": null}',
    '{"data": []}', '{"data": {}}', '{"errors": "not today"}', '[{"id": null}]', '[{"id": [1]}]',
    '[{"id": 0}, {"id": -4}, {"id": 99999999999999999999}]', "<html><p>Sorry</p></html>",
    '{"id": 7, "na', "",
]  # fmt: skip


def answer_with(procore: Procore, path: str, body: object, **more: Any) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    fault = {"kind": "body", "path": path, "status": 200, "times": 30, **more}
    procore.control("faults", body=text, **fault)


@pytest.mark.parametrize("body", ODD)
@pytest.mark.parametrize("path", ["/rest/v1.0/me", "/rest/v1.0/companies"])
def test_signing_in_meets_any_answer(frame: Frame, path: str, body: str) -> None:
    answer_with(frame.procore, path, body)
    answer = frame.connect()
    assert answer.status_code in {200, 403, 502}
    assert "is connected" not in text_of(answer)
    assert text_of(answer)


@pytest.mark.parametrize("body", ODD)
def test_the_workspace_meets_any_list_of_projects(synced: int, procore: Procore, body: str) -> None:
    frame = Frame(procore, synced).sign_in("admin")
    answer_with(procore, "/rest/v1.1/projects", body)
    answer = frame.get("/embedded/home/")
    assert answer.status_code in {200, 502}
    assert frame.get(f"/embedded/projects/{procore.projects()[0]}/").status_code in {404, 502}


@pytest.mark.parametrize("body", ODD)
def test_discovery_meets_any_list_of_companies(procore: Procore, body: str) -> None:
    answer_with(procore, "/rest/v1.0/companies", body)
    with suppress(ProcoreError):
        assert discover()["new"] == 0


@pytest.mark.parametrize("body", ODD)
def test_hooks_meet_any_answer(company: int, procore: Procore, body: str) -> None:
    for path in ("*/webhooks/hooks", "*/triggers", "*/webhooks/resources", "*/deliveries"):
        WebhookHook.objects.all().delete()
        answer_with(procore, path, body)
        for _ in range(2):
            with suppress(ProcoreError):
                reconcile(company_id=company)
        procore.control("clear-faults", all=True)


def live(company: int, procore: Procore) -> LiveBudget:
    return read_budget(app_client(company), company, procore.projects()[0], with_units=True)


@pytest.mark.parametrize("body", ODD)
def test_the_live_budget_meets_any_answer(company: int, procore: Procore, body: str) -> None:
    for path in ("*/budget", "*/budget_views", "*/detail_rows", "*/uoms", "*/wbs_codes"):
        answer_with(procore, path, body)
        with suppress(ProcoreError):
            assert isinstance(live(company, procore), LiveBudget)
        procore.control("clear-faults", all=True)
    answer_with(procore, "*/budget_line_items/*", body)
    with suppress(ProcoreError):
        read_image(app_client(company), procore.projects()[0], 7)


@pytest.mark.parametrize(
    "row",
    [
        {"id": None, "wbs_code_id": 5, "original_budget_amount": "1"},
        {"id": 9, "wbs_code_id": {"id": 5}, "original_budget_amount": "1"},
        {"id": 9, "wbs_code_id": 5, "original_budget_amount": "a lot"},
    ],
)
def test_against_a_budget_that_cannot_be_read_nothing_is_planned(
    company: int, procore: Procore, row: dict[str, Any]
) -> None:
    answer_with(procore, "*/detail_rows", [row])
    with pytest.raises(Unreadable):
        live(company, procore)


def test_a_live_budget_in_other_forms_is_read(company: int, procore: Procore) -> None:
    row = {"id": "9", "wbs_code_id": "5", "original_budget_amount": "$1,234.50", "deletable": "no"}
    answer_with(procore, "*/detail_rows", {"budget_detail_rows": [row, None]})
    answer_with(procore, "*/budget", {"data": {"locked": "false"}})
    found = live(company, procore)
    assert not found.locked
    assert found.lines[5].amount == Decimal("1234.50")
    assert found.lines[5].line_item_id == 9
    assert not found.lines[5].deletable


TOKEN = "/oauth/token"


@pytest.mark.parametrize("body", [*ODD, '{"access_token": "a b"}', '{"access_token": 7}'])
def test_a_token_answer_that_is_none_is_an_error_in_words(procore: Procore, body: str) -> None:
    answer_with(procore, TOKEN, body)
    with pytest.raises(TiebackError) as caught:
        oauth().client_credentials()
    assert caught.value.message


@pytest.mark.parametrize("lifetime", ["5400", 5400.0, None, "soon", -1, 0, 10**30, [], {}, True])
def test_an_odd_lifetime_does_not_lose_a_new_pair(procore: Procore, lifetime: object) -> None:
    body = {"access_token": "a.b", "refresh_token": "r", "expires_in": lifetime, "scope": ["x"]}
    for wrapped in (body, {"data": body}):
        answer_with(procore, TOKEN, wrapped, times=1)
        pair = oauth().refresh("old")
        assert (pair.access_token, pair.refresh_token) == ("a.b", "r")


def test_a_limit_on_tokens_is_no_refusal_of_the_grant(procore: Procore) -> None:
    answer_with(procore, TOKEN, {"error": "invalid_grant"}, status=401, times=1)
    with pytest.raises(GrantRefused):
        oauth().refresh("old")
    answer_with(procore, TOKEN, {"errors": "too many"}, status=429, times=1)
    with pytest.raises(RateLimited):
        oauth().refresh("old")


@contextmanager
def foreign_host() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the calls it received."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    calls.append(connection.recv(1000).decode("latin-1"))
                    connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", calls
        finally:
            over.set()
            thread.join()


def test_no_link_and_no_redirect_leads_to_a_foreign_host(company: int, procore: Procore) -> None:
    client = app_client(company)
    path = f"/rest/v1.3/companies/{company}/users"
    with foreign_host() as (address, calls):
        link = {"Link": f'<{address}/rest/v1.0/x?page=2>; rel="next"', "Total": "3"}
        procore.control("clear", all=True)
        answer_with(procore, path, [{"id": 1}], headers={**link, "Per-Page": "1"}, times=1)
        answer_with(procore, path, [{"id": 2}], times=1)
        assert [row["id"] for row in client.rows(path, {})] == [1, 2]
        assert [call["path"] for call in procore.ledger()].count(path) == 2
        for status in (301, 302, 307, 308):
            answer_with(procore, path, "", status=status, headers={"Location": address}, times=9)
            with pytest.raises(Unreadable):
                list(client.rows(path, {}))
            procore.control("clear-faults", all=True)
            for where in ("/oauth/token", "/oauth/revoke"):
                answer_with(procore, where, "", status=status, headers={"Location": address})
            with pytest.raises(ProcoreError):
                oauth().client_credentials()
            oauth().revoke("token")
            procore.control("clear-faults", all=True)
    assert not calls
