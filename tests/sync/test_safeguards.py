"""Each safeguard is needed: with it all is well, and without it the damage shows.

The overlap of windows has its own model in test_window_model.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import IntegrityError

from integrations.procore.sync import runs, write_buffer
from integrations.procore.sync.engine import run_to_end
from integrations.procore.sync.errors import SyncLeaseLost
from integrations.procore.sync.models import DueRead, SyncRun
from integrations.procore.sync.runs import holder_name, take_run
from integrations.procore.sync.services import sync_now
from integrations.procore.webhooks import inbox
from integrations.procore.webhooks.inbox import Told, accept, read_payload
from partner_app.connections.rates import SharedRate
from partner_app.core import clock
from tests.procore import Procore


def sync(company_id: int) -> None:
    sync_now(company_id=company_id, full=False, only=[], wait=clock.wait_until)


def stays_within_the_limits(company: int, procore: Procore) -> bool:
    procore.control("rates", per_hour=1_000_000, per_spike=30)
    sync(company)
    return procore.violations() == []


def a_process_believed_dead_writes_nothing(company: int, procore: Procore) -> bool:
    asleep = take_run(company_id=company, mode="full", only=[], holder=holder_name())
    SyncRun.objects.filter(id=asleep.id).update(leased_until=clock.now())
    sync(company)  # takes the run over and finishes it
    project = procore.projects()[0]
    procore.control(
        f"projects/{project}/rfis/{procore.records(project, 'rfis')[0]['id']}",
        set={"subject": "Changed while it slept"},
    )
    try:
        run_to_end(asleep, wait=clock.wait_until)
    except SyncLeaseLost:
        return True
    return False


def an_event_told_twice_counts_once(company: int, procore: Procore) -> bool:
    body = (
        '{"id": "01HTOLDTWICE", "resource_type": "RFIs", "reason": "update", '
        f'"project_id": "{procore.projects()[0]}"}}'
    )
    told = [Told(company, read_payload(body.encode()))]
    accept(told)
    DueRead.objects.all().delete()  # a worker has read it
    try:
        accept(told)
    except IntegrityError:
        return False
    return not DueRead.objects.exists()


def without_governor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedRate, "take", lambda _self: None)


def without_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (write_buffer, runs):
        monkeypatch.setattr(module, "keep_lease", lambda _run: None)


def without_dedupe(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "ON CONFLICT (company_id, ulid, month) DO NOTHING"
    assert rule in inbox.ACCEPT
    monkeypatch.setattr(inbox, "ACCEPT", inbox.ACCEPT.replace(rule, ""))


@dataclass(frozen=True)
class Safeguard:
    holds: Callable[[int, Procore], bool]
    remove: Callable[[pytest.MonkeyPatch], None]


SAFEGUARDS = {
    "governor": Safeguard(stays_within_the_limits, without_governor),
    "lease": Safeguard(a_process_believed_dead_writes_nothing, without_lease),
    "dedupe": Safeguard(an_event_told_twice_counts_once, without_dedupe),
}


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_with_its_safeguard_no_harm_is_done(name: str, company: int, procore: Procore) -> None:
    assert SAFEGUARDS[name].holds(company, procore)


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_without_its_safeguard_the_harm_shows(
    name: str, company: int, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    SAFEGUARDS[name].remove(monkeypatch)
    assert not SAFEGUARDS[name].holds(company, procore)
