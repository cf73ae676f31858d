"""The mirror after an undo: what Procore has, and no missing records."""

import pytest

from integrations.procore.sync.models import Absence, DueRead, DueWork
from integrations.procore.sync.schedule import make_due, make_read_due
from integrations.procore.sync.services import run_due
from integrations.procore.sync.verify import verify
from partner_app.core import clock
from tests.handoffs.people import EXAMPLE, Desk, carry_on
from tests.procore import Procore


@pytest.fixture
def taken_back(synced: int, procore: Procore) -> Desk:
    """A handoff of 49 budget lines that were written, read and deleted again."""
    manager, admin = Desk(procore, synced, "manager"), Desk(procore, synced, "admin")
    manager.drop(EXAMPLE.read_bytes())
    manager.plan()
    manager.act("submit")
    admin.estimate_id = manager.estimate_id
    admin.act("approve")
    carry_on()
    look(admin)
    manager.act("undo/ask")
    admin.act("undo/now")
    carry_on()
    return admin


def look(desk: Desk) -> None:
    """Reads the budget as a worker does after a webhook, and waits where it has to."""
    make_due(company_id=desk.company_id)
    make_read_due(company_id=desk.company_id, resource="budget_rows", project_id=desk.project_id)
    DueWork.objects.update(due_at=clock.now(), asked_at=None, pace=3600)
    run_due(company_id=desk.company_id, wait=clock.wait_until)


def test_lines_that_were_taken_back_are_gone(taken_back: Desk) -> None:
    look(taken_back)
    assert not Absence.objects.exists()
    assert verify(company_id=taken_back.company_id, wait=clock.wait_until)["drift"] == 0


@pytest.mark.parametrize("path", ["*/settings/permissions", "/rest/v1.1/budget_line_items/*"])
def test_a_proof_that_a_limit_ends_is_asked_for_again_when_it_is_over(
    taken_back: Desk, procore: Procore, path: str
) -> None:
    limit = {"kind": "status", "status": 429, "retry_after": 2, "method": "GET"}
    procore.control("faults", **limit, path=path)
    look(taken_back)
    assert procore.control("faults") == []
    doubt = Absence.objects.get()
    assert (doubt.missing, doubt.tries) == (49, 1)
    due = DueRead.objects.get(resource="budget_rows", project_id=taken_back.project_id)
    assert due.due_at == doubt.retry_at
    assert DueWork.objects.get().due_at <= doubt.retry_at
    clock.wait_until(doubt.retry_at)
    run_due(company_id=taken_back.company_id, wait=clock.wait_until)
    assert not Absence.objects.exists()
    assert procore.violations() == []


def test_a_proof_that_limits_end_again_and_again_waits_longer(
    taken_back: Desk, procore: Procore
) -> None:
    limit = {"kind": "status", "status": 429, "retry_after": 1, "method": "GET", "times": 3}
    procore.control("faults", **limit, path="/rest/v1.1/budget_line_items/*")
    look(taken_back)
    waits = []
    for _ in range(2):
        Absence.objects.update(retry_at=clock.now())
        look(taken_back)
        doubt = Absence.objects.get()
        waits.append((doubt.retry_at - clock.now()).total_seconds())
        assert DueRead.objects.get(resource="budget_rows").due_at == doubt.retry_at
    assert 50 < waits[0] <= 60
    assert 290 < waits[1] <= 300
    Absence.objects.update(retry_at=clock.now())
    look(taken_back)
    assert not Absence.objects.exists()
