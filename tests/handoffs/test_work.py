"""A push survives every crash: no line twice, none missing, and every stop has a message."""

import os
import random
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest

from integrations.procore.api.client import ProcoreClient
from partner_app.connections.leave import close_down
from partner_app.core import clock
from partner_app.handoffs import push, work
from partner_app.handoffs.models import HandoffState, HandoffWork, RowState
from partner_app.tenancy.context import tenant
from tests.frame import text_of
from tests.handoffs.people import Desk, budget, carry_on, lines
from tests.house.test_rules import ROOT
from tests.procore import Procore
from tests.waiting import until

CODES = [f"{number}-000" for number in (202, 203, 205, 206, 207, 208, 211, 213)]
AMOUNTS = {f"{code}.S": Decimal(f"{place}0.25") for place, code in enumerate(CODES, 1)}
CONTENT = lines(*[(code, f"Work {code}", "LS", str(AMOUNTS[f"{code}.S"])) for code in CODES])
SYNC = "/rest/v1.0/budget_line_items/sync"
SEEDS = int(os.environ.get("CRASH_SEEDS", "12"))


class Crash(Exception):
    """The process dies here: nothing after it happens, nothing is cleaned up."""


@pytest.fixture
def submitted(synced: int, procore: Procore) -> Desk:
    manager = Desk(procore, synced, "manager")
    manager.drop(CONTENT)
    manager.plan()
    manager.act("submit")
    return manager


@pytest.fixture
def approver(submitted: Desk) -> Desk:
    desk = Desk(submitted.procore, submitted.company_id, "admin")
    desk.estimate_id = submitted.estimate_id
    return desk


def arrived(desk: Desk) -> bool:
    found = budget(desk)
    return all(found.get(code) == amount for code, amount in AMOUNTS.items())


def later() -> None:
    """Lets a dead process's lease, or a wait, expire."""
    HandoffWork.objects.update(leased_until=None, due_at=clock.now())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_crashes_and_lost_answers_neither_double_nor_lose_a_line(
    submitted: Desk, approver: Desk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Crashes before or after calls to Procore and our commits, at seeded places."""
    rng = random.Random(seed)
    before = budget(approver)
    monkeypatch.setattr(push, "LARGEST_BATCH", rng.choice([1, 2, 3, 1000]))
    fuse = {"calls": 0, "after": 0}  # calls until the crash; 0: no crash
    real_once = ProcoreClient._once

    def once(self: ProcoreClient, *arguments: object) -> object:
        fuse["calls"] -= 1
        if fuse["calls"] == 0 and not fuse["after"]:
            raise Crash
        answer = real_once(self, *arguments)  # type: ignore[arg-type]  # passed through
        if fuse["calls"] == 0:
            raise Crash
        return answer

    monkeypatch.setattr(ProcoreClient, "_once", once)
    for verb, wanted in (("approve", HandoffState.DONE), ("undo/now", HandoffState.UNDONE)):
        if verb == "undo/now":
            submitted.act("undo/ask")
        approver.act(verb)
        for _ in range(60):
            if approver.handoff.state == wanted:
                break
            fuse |= {"calls": rng.choice([1, 2, 3, 5, 8, 13, 1000]), "after": rng.randint(0, 1)}
            if rng.random() < 0.4:
                kind = rng.choice(["reset_before", "reset_after", "truncate", "status"])
                where = {"path": rng.choice([SYNC, "*budget_line_items*", "/rest/*"])}
                approver.procore.control("faults", kind=kind, status=502, times=1, **where)
            with suppress(Crash):
                carry_on()
            fuse["calls"] = 0
            later()
        approver.procore.control("clear-faults", all=True)
        assert approver.handoff.state == wanted
        assert arrived(approver) == (wanted == HandoffState.DONE)
    assert budget(approver) == before
    assert approver.procore.violations() == []


def test_a_second_worker_stays_away_and_one_believed_dead_stops(
    approver: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    approver.act("approve")
    held = HandoffWork.objects.get()
    assert work._lease(held.id)
    carry_on()  # finds the lease held
    assert not arrived(approver)
    later()
    first = work._lease(held.id)
    assert first
    later()
    carry_on()  # another worker takes over and finishes
    assert arrived(approver)
    with pytest.raises(work.HandoffLeaseLost):
        work._checkpoint(first)()


PUSH = """
import django
django.setup()
from partner_app.handoffs import work
work.BEAT = 0.1
work.run({id})
"""


def test_a_push_whose_worker_is_killed_is_taken_up_soon_and_writes_nothing_twice(
    approver: Desk,
) -> None:
    """Killed in the middle of a slow call: the lease was renewed meanwhile, never for long."""
    slow = {"kind": "delay", "method": "POST", "path": SYNC, "times": 1, "seconds": 4}
    approver.procore.control("faults", **slow)
    approver.act("approve")
    held = HandoffWork.objects.get()
    worker = subprocess.Popen([sys.executable, "-c", PUSH.format(id=held.id)], cwd=ROOT)
    try:
        until(lambda: sent(approver))
        first = HandoffWork.objects.get().leased_until
        assert first
        until(lambda: (HandoffWork.objects.get().leased_until or first) > first)
    finally:
        worker.kill()
        worker.wait()
    left = HandoffWork.objects.get().leased_until
    assert left
    assert clock.now() < left <= clock.now() + timedelta(seconds=75)
    later()
    carry_on()
    assert approver.handoff.state == HandoffState.DONE
    assert arrived(approver)
    assert len(writes(approver)) == 1
    assert approver.procore.violations() == []


def sent(desk: Desk) -> bool:
    """Rows have been sent to Procore and not answered yet."""
    with tenant(desk.company_id):
        return desk.handoff.rows.filter(state=RowState.SENT).exists()


def writes(desk: Desk) -> list[object]:
    return [
        c for c in desk.procore.ledger() if c["method"] == "POST" and c["path"].endswith("sync")
    ]


def test_a_limit_is_waited_for_visibly_and_then_it_goes_on(approver: Desk) -> None:
    approver.procore.control(
        "faults", kind="status", status=429, retry_after=1, method="POST", path=SYNC
    )
    approver.act("approve")
    carry_on()
    assert "It resumes automatically at" in text_of(approver.see("progress/"))
    due = HandoffWork.objects.get().due_at
    carry_on()  # too early
    assert not arrived(approver)
    clock.wait_until(due)
    carry_on()
    assert arrived(approver)
    assert approver.procore.violations() == []


def test_trouble_that_does_not_end_is_given_up_with_words(approver: Desk) -> None:
    approver.act("approve")
    approver.procore.control("faults", kind="status", status=500, path="/rest/*", times=100000)
    for _ in range(work.MOST_ATTEMPTS + 1):
        carry_on()
        later()
    approver.procore.control("clear-faults", all=True)
    assert approver.handoff.state == HandoffState.APPROVED
    assert "after many attempts" in text_of(approver.see())
    approver.act("approve")
    carry_on()
    assert arrived(approver)


def test_an_approver_who_lost_the_permission_meanwhile_writes_nothing(
    approver: Desk, procore: Procore
) -> None:
    approver.act("approve")
    procore.control("people", id=procore.person("admin")["id"], tools=["rfis"])
    carry_on()
    assert not arrived(approver)
    assert approver.handoff.state == HandoffState.APPROVED
    assert approver.handoff.problem == "Procore does not allow this."


def test_a_budget_locked_meanwhile_is_left_locked(approver: Desk) -> None:
    approver.act("approve")
    approver.procore.control(f"projects/{approver.project_id}/lock", locked=True)
    carry_on()
    assert "is locked in Procore" in text_of(approver.see())
    assert not arrived(approver)
    approver.procore.control(f"projects/{approver.project_id}/lock", locked=False)
    approver.act("approve")
    carry_on()
    assert arrived(approver)


def test_a_budget_edited_between_plan_and_push_makes_the_plan_stale(approver: Desk) -> None:
    road = approver.procore
    codes = {c["flat_code"]: c["id"] for c in road.records(approver.project_id, "wbs_codes")}
    approver.act("approve")
    some = road.records(approver.project_id, "budget_line_items")[0]
    path = f"projects/{approver.project_id}/budget_line_items/{some['id']}"
    road.control(path, set={"wbs_code_id": codes["202-000.S"]})
    carry_on()
    assert approver.handoff.state == HandoffState.STALE
    assert "Make a new plan" in text_of(approver.see())


def test_an_estimate_changed_after_the_plan_cannot_be_approved(
    submitted: Desk, approver: Desk
) -> None:
    submitted.of_estimate("answer/", leave_out="2")
    assert "changed after this plan was made" in text_of(approver.see())
    answer = approver.act("approve")
    assert answer.status_code == 409
    assert "Make a new plan" in text_of(answer)


def test_one_row_that_procore_refuses_spares_the_others(approver: Desk) -> None:
    codes = approver.procore.records(approver.project_id, "wbs_codes")
    retired = next(code["id"] for code in codes if code["flat_code"] == "206-000.S")
    path = f"projects/{approver.project_id}/wbs_codes/{retired}"
    approver.act("approve")
    approver.procore.control(path, set={"status": "inactive"})
    carry_on()
    assert approver.handoff.state == HandoffState.PARTIAL
    page = text_of(approver.see())
    assert "Procore refused 206-000.S" in page
    assert "Try the rest again" in page
    assert len(AMOUNTS) - 1 == sum(code in budget(approver) for code in AMOUNTS)
    approver.procore.control(path, set={"status": "active"})
    approver.act("approve")
    carry_on()
    assert arrived(approver)


def test_two_handoffs_of_one_project_wait_for_each_other(
    approver: Desk, synced: int, procore: Procore
) -> None:
    other = Desk(procore, synced, "manager")
    other.drop(lines(("301-000", "Base", "CY", "1.00")), "other.csv")
    other.plan()
    other.act("submit")
    approver.act("approve")
    second = Desk(procore, synced, "admin")
    second.estimate_id = other.estimate_id
    answer = second.act("approve")
    assert answer.status_code == 409
    assert "estimate.csv is being written" in text_of(answer)
    carry_on()
    second.act("approve")
    carry_on()
    assert second.handoff.state == HandoffState.DONE


def test_a_push_can_be_stopped_between_two_calls(
    approver: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "LARGEST_BATCH", 2)
    approver.act("approve")
    real = push._mark
    batches = []

    def mark(handoff: object, batch: list[object], state: RowState) -> None:
        real(handoff, batch, state)  # type: ignore[arg-type]  # passed through
        batches.append(state)
        if batches.count(RowState.CONFIRMED) == 2:
            approver.act("cancel")

    monkeypatch.setattr(push, "_mark", mark)
    carry_on()
    assert approver.handoff.state == HandoffState.PARTIAL
    assert "stopped manually" in text_of(approver.see())
    assert sum(code in budget(approver) for code in AMOUNTS) == 4


def test_an_uninstall_in_the_middle_ends_in_words(approver: Desk, procore: Procore) -> None:
    approver.act("approve")
    procore.control("installs", company_id=approver.company_id, permitted_projects=None)
    carry_on()
    assert approver.handoff.state == HandoffState.APPROVED
    assert "not installed" in approver.handoff.problem
    close_down(company_id=approver.company_id)
    assert not arrived(approver)


def test_what_nobody_rang_for_is_found(approver: Desk) -> None:
    approver.act("approve")
    soon = clock.now() + timedelta(seconds=1)
    HandoffWork.objects.update(due_at=soon)
    assert work.claim_due() == []
    clock.wait_until(soon)
    assert len(work.claim_due()) == 1


def test_lines_with_costs_are_not_deleted_unless_both_want_them_at_zero(
    submitted: Desk, approver: Desk
) -> None:
    approver.act("approve")
    carry_on()
    codes = {
        c["flat_code"]: c["id"] for c in approver.procore.records(approver.project_id, "wbs_codes")
    }
    row = next(
        row
        for row in approver.procore.records(approver.project_id, "budget_line_items")
        if row["wbs_code_id"] == codes["203-000.S"]
    )
    path = f"projects/{approver.project_id}/budget_line_items/{row['id']}"
    approver.procore.control(path, set={"deletable": False})
    assert "has costs and cannot be deleted" in text_of(approver.see("undo/"))
    submitted.act("undo/ask")
    assert "The request does not set lines that cannot be deleted to zero" in text_of(
        approver.see("undo/")
    )
    approver.act("undo/now", zero="1")
    carry_on()
    assert approver.handoff.state == HandoffState.PARTIAL
    assert budget(approver)["203-000.S"] == AMOUNTS["203-000.S"]
    submitted.act("undo/ask", zero="1")
    assert "would be set to zero" in text_of(approver.see())
    approver.act("undo/now", zero="1")
    carry_on()
    assert approver.handoff.state == HandoffState.UNDONE
    assert budget(approver)["203-000.S"] == 0
    assert "stays in the budget at zero" in text_of(approver.see())
