"""An app that nobody uses hardly calls Procore, but still notices an install."""

from datetime import timedelta

from django.conf import settings
from django.test import Client

from integrations.procore.sync.tasks import discover as discover_task
from integrations.procore.sync.tasks import discover_soon
from partner_app.connections.discover import discover
from partner_app.connections.lookups import look_for, may_look
from partner_app.core.broker import broker
from partner_app.core.heartbeats import waiting
from partner_app.tenancy.models import Company
from tests.frame import Frame
from tests.procore import Procore


def asked(procore: Procore) -> list[str]:
    return [call["path"] for call in procore.ledger()]


def waiting_tasks() -> int:
    found = waiting(("upkeep",))["upkeep"]
    broker().delete("upkeep")
    return found or 0


def test_a_look_costs_one_call_and_comes_once_an_hour(procore: Procore) -> None:
    discover()
    procore.control("clear", all=True)
    for _ in range(3):
        discover_task()
    assert asked(procore) == ["/rest/v1.0/companies"] * 3
    assert settings.CELERY_BEAT_SCHEDULE["discover"]["schedule"] == timedelta(hours=1)


def test_a_viewer_is_let_in_where_the_app_was_installed_a_moment_ago(procore: Procore) -> None:
    discover()
    newcomer = procore.without_app_id
    procore.control("installs", company_id=newcomer, permitted_projects="all")
    assert not Company.objects.filter(id=newcomer).exists()
    Frame(procore, newcomer).sign_in("engineer")  # not an administrator, who could install
    assert Company.objects.get(id=newcomer).state == "active"


def test_a_company_without_the_app_is_asked_for_once_a_minute(procore: Procore) -> None:
    discover()
    procore.control("clear", all=True)
    assert [look_for(procore.without_app_id) for _ in range(5)] == [False] * 5
    assert len(asked(procore)) == 1
    assert look_for(procore.company_id)
    assert len(asked(procore)) == 1


def test_a_page_opened_in_an_unknown_company_wakes_discovery_once(procore: Procore) -> None:
    discover()
    waiting_tasks()
    for company_id in (procore.without_app_id, procore.without_app_id, 17):
        answer = Client().get("/embedded/", {"company_id": company_id, "project_id": 5})
        assert answer.status_code == 200
    assert waiting_tasks() == 1
    discover_soon(procore.company_id)
    assert waiting_tasks() == 0
    assert not may_look("opened")
