"""A company's administrators see the service account's missing rights, why, and the remedy."""

from datetime import timedelta
from typing import Any

from django.test import Client

from partner_app.connections.models import GrantedRights
from partner_app.connections.rights import A_CHECK, FRESH
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from tests.frame import Frame, text_of
from tests.procore import Procore

SETTINGS = "/embedded/settings/"
CHECK = "/embedded/settings/permissions/"


def asked_procore(procore: Procore) -> int:
    path = "/rest/v1.0/settings/permissions"
    calls = [call for call in procore.ledger() if call["path"] == path]
    return sum(call["credential"] == "service" for call in calls)


def check(frame: Frame) -> Any:
    return frame.ask("POST", CHECK, {})


def test_the_page_asks_once_and_not_again_while_the_answer_is_fresh(
    admin: Frame, procore: Procore
) -> None:
    page = admin.get(SETTINGS)
    assert "Asking Procore" in text_of(page)
    assert 'hx-trigger="load"' in page.content.decode()
    assert asked_procore(procore) == 0
    assert "Procore grants everything the app asks for" in text_of(check(admin))
    once = asked_procore(procore)
    assert 1 < once <= A_CHECK + 1
    page = admin.get(SETTINGS)
    assert 'hx-trigger="load"' not in page.content.decode()
    assert "Checked" in text_of(page)
    assert asked_procore(procore) == once
    with tenant(admin.company_id):
        GrantedRights.objects.update(checked_at=clock.now() - FRESH - timedelta(minutes=1))
    assert 'hx-trigger="load"' in admin.get(SETTINGS).content.decode()


def test_each_gap_says_what_is_missing_where_why_and_what_to_do(
    admin: Frame, procore: Procore
) -> None:
    first, *_ = procore.projects()
    procore.control(
        "service-account",
        company_id=admin.company_id,
        manifest={"company": {"directory": "none"}},
        memberships={str(first): {"project": {"budget": "none"}}},
    )
    answer = check(admin)
    text = text_of(answer)
    assert "2 permissions are missing" in text
    assert "An update of the app is available" in text
    assert "added to this one before its permission template was right" in text
    assert "Directory Budget: Read-Only, with “Create and Edit Original Budget Amount”" in text
    assert (
        text.index("Directory")
        < text.index("Permissions granted as requested")
        < text.index("RFIs")
    )


def test_trouble_is_said_beside_what_is_known_and_does_not_ask_in_a_loop(
    admin: Frame, procore: Procore
) -> None:
    check(admin)
    where = {"path": "/rest/v1.0/settings/permissions", "kind": "status", "status": 503}
    procore.control("faults", **where, retry_after=1, times=9)
    answer = check(admin)
    assert answer.status_code == 200
    assert "Procore has trouble" in text_of(answer)
    assert "Procore grants everything the app asks for" in text_of(answer)
    assert 'hx-trigger="load"' not in answer.content.decode()


def test_before_anything_is_known_the_page_says_so(admin: Frame, procore: Procore) -> None:
    where = {"path": "/rest/v1.1/projects", "kind": "status", "status": 503}
    procore.control("faults", **where, retry_after=1, times=9)
    assert "What Procore grants is not known yet" in text_of(check(admin))


def test_it_is_for_administrators_alone(engineer: Frame, procore: Procore) -> None:
    assert "Permissions of the service account" not in text_of(engineer.get(SETTINGS))
    assert check(engineer).status_code == 403
    assert asked_procore(procore) == 0


def test_it_is_said_in_french(admin: Frame, procore: Procore) -> None:
    procore.control(
        "service-account",
        company_id=admin.company_id,
        manifest={"project": {"rfis": "none"}},
    )
    french = Client(headers={"authorization": f"Bearer {admin.bearer}", "accept-language": "fr"})
    text = text_of(french.post(CHECK))
    assert "Il manque 1 permission" in text
    assert "Une mise à jour de l’application est disponible" in text
    assert "Lecture seule" in text
