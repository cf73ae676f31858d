"""Undo under separation of duties: one person requests it, another carries it out."""

from typing import Any

import pytest
from django.test import Client

from partner_app.audit.models import AuditEvent
from partner_app.handoffs import cli, push, work
from partner_app.handoffs.errors import BudgetLocked, UndoNeedsAnother, UndoNotRequested
from partner_app.handoffs.models import Handoff, HandoffState, HandoffWork, Task, UndoRequest
from partner_app.handoffs.report import _facts
from partner_app.handoffs.undo_request import request_undo
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import change_duties
from tests.frame import text_of
from tests.handoffs.people import Desk, budget, carry_on, lines
from tests.procore import Procore

TWO = lines(("202-000", "Remove railing", "LF", "100.10"), ("205-000", "Silt fence", "LF", "50.05"))
DECLINE = "undo/decline/"
WITHDRAW = "undo/withdraw/"
NOW = "undo/now/"


@pytest.fixture
def manager(synced: int, procore: Procore) -> Desk:
    """Has handed off an estimate that an administrator approved."""
    manager, admin = Desk(procore, synced, "manager"), Desk(procore, synced, "admin")
    manager.drop(TWO)
    manager.plan()
    manager.act("submit")
    admin.estimate_id = manager.estimate_id
    admin.act("approve")
    carry_on()
    assert manager.handoff.state == HandoffState.DONE
    return manager


@pytest.fixture
def admin(manager: Desk) -> Desk:
    desk = Desk(manager.procore, manager.company_id, "admin")
    desk.estimate_id = manager.estimate_id
    return desk


def offers(page: Any) -> set[str]:
    """The steps of an undo that a page has a button for."""
    found = page.content.decode()
    return {verb for verb in ("undo/ask/", NOW, WITHDRAW, DECLINE) if f"/{verb}" in found}


def events(name: str) -> int:
    return AuditEvent.objects.filter(event=f"handoff.undo_{name}").count()


def refused(answer: Any) -> tuple[int, str]:
    text = answer.content.decode()
    return answer.status_code, text.partition('data-error="')[2].partition('"')[0]


def test_one_person_alone_takes_nothing_back(manager: Desk, admin: Desk) -> None:
    """Not even by posting straight to the address."""
    before = budget(manager)
    for desk in (manager, admin):
        assert refused(desk.act("undo/now")) == (409, "handoff.undo_not_requested")
    manager.act("undo/ask")
    answer = manager.act("undo/now")
    assert refused(answer) == (403, "handoff.undo_needs_another")
    assert "so someone else has to do it" in text_of(answer)
    assert not HandoffWork.objects.exists()
    carry_on()
    assert manager.handoff.state == HandoffState.DONE
    assert budget(manager) == before


def test_the_service_refuses_what_no_page_offers(manager: Desk) -> None:
    handoff = manager.handoff
    here: dict[str, Any] = {"company_id": manager.company_id, "handoff_id": handoff.id}
    rights = work.Actor(17, "procore:17")
    with pytest.raises(UndoNotRequested):
        work.begin(**here, task=Task.UNDO, rights=rights)
    request_undo(**here, actor=rights.actor)
    with pytest.raises(UndoNeedsAnother):
        work.begin(**here, task=Task.UNDO, rights=rights)
    work.begin(**here, task=Task.UNDO, rights=work.Actor(18, "procore:18"))
    with pytest.raises(UndoNeedsAnother):  # the requester cannot take over a running undo
        work.begin(**here, task=Task.UNDO, rights=rights)
    assert HandoffWork.objects.get().remote_user_id == 18


def test_another_person_sees_who_asked_and_why_and_carries_it_out(
    manager: Desk, admin: Desk
) -> None:
    preview = manager.see("undo/")
    assert "2 budget lines would be restored" in text_of(preview)
    assert "Your company requires two people for this" in text_of(preview)
    assert offers(preview) == {"undo/ask/"}
    asked = manager.act("undo/ask", comment="the railing is twice in it")
    assert "You requested it just now" in text_of(asked)
    assert "Someone else who may edit the budget undoes the handoff or declines" in text_of(asked)
    assert offers(asked) == {WITHDRAW}
    assert offers(manager.see("undo/")) == set()
    page = admin.see()
    assert "Project Manager requested it just now" in text_of(page)
    assert "the railing is twice in it" in text_of(page)
    assert offers(page) == {DECLINE}
    preview = admin.see("undo/")
    assert "2 budget lines would be restored" in text_of(preview)
    assert offers(preview) == {NOW}
    admin.act("undo/now")
    carry_on()
    handoff = admin.handoff
    assert handoff.state == HandoffState.UNDONE
    assert handoff.undo_request == UndoRequest.CARRIED_OUT
    assert handoff.undo_asked_by != handoff.undone_by == handoff.undo_answered_by
    assert "205-000.S" not in budget(admin)
    assert events("requested") == 1
    page = text_of(manager.see())
    assert "Undo requested" in page.split("Who did what")[1]
    assert "requested it just now" not in page


def test_the_other_finds_it_on_home_and_among_the_estimates(manager: Desk, admin: Desk) -> None:
    estimates = f"/embedded/projects/{manager.project_id}/estimates/"
    for desk in (manager, admin):
        assert "Waiting for your decision" not in text_of(desk.frame.get("/embedded/home/"))
    manager.act("undo/ask")
    assert "undo requested" not in text_of(manager.frame.get("/embedded/home/"))
    assert "undo requested just now" in text_of(admin.frame.get("/embedded/home/"))
    found = text_of(admin.frame.get(estimates))
    assert "undo requested by Project Manager just now" in found
    admin.act("undo/now")
    carry_on()
    assert "undo requested" not in text_of(admin.frame.get("/embedded/home/"))
    assert "undo requested" not in text_of(admin.frame.get(estimates))


def test_a_request_is_declined_with_words_and_can_be_made_again(manager: Desk, admin: Desk) -> None:
    manager.act("undo/ask")
    assert refused(admin.act("undo/ask")) == (409, "handoff.undo_already_requested")
    admin.act("undo/decline", comment="the owner has signed it")
    page = text_of(manager.see())
    assert "Undo declined" in page
    assert "Project Manager requested it; Company Admin declined just now" in page
    assert "the owner has signed it" in page
    assert refused(admin.act("undo/now")) == (409, "handoff.undo_not_requested")
    assert refused(admin.act("undo/decline")) == (409, "handoff.undo_not_requested")
    assert (events("declined"), manager.handoff.state) == (1, HandoffState.DONE)
    page = text_of(admin.act("undo/ask"))
    assert "the owner has signed it" not in page
    assert "Undo declined" not in page
    manager.act("undo/now")
    carry_on()
    assert manager.handoff.state == HandoffState.UNDONE


def test_only_who_asked_withdraws_it_also_without_the_right_to_edit(
    manager: Desk, admin: Desk, procore: Procore
) -> None:
    manager.act("undo/ask")
    assert refused(admin.act("undo/withdraw")) == (403, "handoff.undo_request_of_another")
    procore.control("people", id=procore.person("manager")["id"], edits_budget=False)
    later = Desk(procore, manager.company_id, "manager")
    later.estimate_id = manager.estimate_id
    page = text_of(later.act("undo/withdraw"))
    assert "Project Manager requested an undo and withdrew the request" in page
    assert (events("withdrawn"), later.handoff.undo_request) == (1, UndoRequest.WITHDRAWN)
    assert refused(admin.act("undo/now")) == (409, "handoff.undo_not_requested")


def test_without_the_right_to_edit_somebody_sees_it_and_can_do_nothing(
    manager: Desk, admin: Desk, procore: Procore
) -> None:
    procore.control("people", id=procore.person("manager")["id"], edits_budget=False)
    reader = Desk(procore, manager.company_id, "manager")
    reader.estimate_id = manager.estimate_id
    admin.act("undo/ask")
    page = reader.see()
    assert "Company Admin requested it just now" in text_of(page)
    assert "Waiting for someone who may edit the budget in Procore" in text_of(page)
    assert offers(page) == set()
    assert "Undo the handoff" not in text_of(page)
    for verb in ("undo/ask", "undo/decline", "undo/now"):
        assert reader.act(verb).status_code == 403
    assert admin.handoff.undo_request == UndoRequest.OPEN


def test_nothing_is_asked_of_a_plan_that_was_not_written(manager: Desk) -> None:
    manager.plan()
    assert refused(manager.act("undo/ask")) == (409, "handoff.not_now")
    assert refused(manager.act("undo/now")) == (409, "handoff.not_now")


@pytest.mark.parametrize("revised", [False, True])
def test_a_new_plan_ends_the_request(manager: Desk, admin: Desk, *, revised: bool) -> None:
    """A plan of the estimate, or of a revision."""
    manager.act("undo/ask")
    asked = manager.handoff.id
    if revised:
        manager.drop(TWO.replace(b"50.05", b"60.00"), revision_of=manager.estimate_id)
    manager.plan()
    with tenant(manager.company_id):
        assert Handoff.objects.get(id=asked).undo_request == UndoRequest.ENDED
    page = admin.frame.get(f"/embedded/handoffs/{asked}/")
    assert "a new plan or push ended the request just now" in text_of(page)
    assert events("request_ended") == 1
    assert "undo requested" not in text_of(admin.frame.get("/embedded/home/"))


def test_a_push_of_the_rest_ends_the_request(manager: Desk, admin: Desk) -> None:
    with tenant(manager.company_id):
        Handoff.objects.update(state=HandoffState.PARTIAL)
    manager.act("undo/ask")
    admin.act("approve")
    carry_on()
    handoff = manager.handoff
    assert (handoff.state, handoff.undo_request) == (HandoffState.DONE, UndoRequest.ENDED)


def test_an_undo_that_was_refused_can_be_tried_again_by_the_other(
    manager: Desk, admin: Desk, procore: Procore
) -> None:
    """The request ends when the lines are restored, not when the work begins."""
    manager.act("undo/ask")
    lock = f"projects/{manager.project_id}/lock"
    procore.control(lock, locked=True)
    admin.act("undo/now")
    assert refused(manager.act("undo/withdraw")) == (409, "handoff.not_now")
    carry_on()
    assert admin.handoff.problem == BudgetLocked().message
    procore.control(lock, locked=False)
    assert refused(manager.act("undo/now")) == (403, "handoff.undo_needs_another")
    admin.act("undo/now")
    carry_on()
    assert admin.handoff.state == HandoffState.UNDONE


def test_a_request_made_while_an_operator_reads_the_budget_back_is_kept(
    manager: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = push._read_back

    def read_back(client: Any, handoff: Handoff) -> None:
        manager.act("undo/ask")
        real(client, handoff)

    monkeypatch.setattr(push, "_read_back", read_back)
    cli.push_handoff(company_id=manager.company_id, estimate_id=manager.estimate_id)
    assert manager.handoff.undo_request == UndoRequest.OPEN


def test_where_duties_are_not_apart_one_person_takes_it_back(manager: Desk) -> None:
    change_duties(company_id=manager.company_id, apart=False, actor="operator")
    assert offers(manager.see("undo/")) == {NOW}
    manager.act("undo/now")
    carry_on()
    assert manager.handoff.state == HandoffState.UNDONE
    assert manager.handoff.undo_request == ""


def test_a_request_that_is_open_when_duties_are_joined_can_be_carried_out_by_its_asker(
    manager: Desk,
) -> None:
    manager.act("undo/ask")
    change_duties(company_id=manager.company_id, apart=False, actor="operator")
    page = manager.see()
    assert "Review what would be undone" in text_of(page)
    assert offers(manager.see("undo/")) == {NOW}
    manager.act("undo/now")
    carry_on()
    assert manager.handoff.undo_request == UndoRequest.CARRIED_OUT


@pytest.mark.parametrize("asked", [False, True])
def test_an_operator_takes_it_back_alone(manager: Desk, *, asked: bool) -> None:
    if asked:
        manager.act("undo/ask")
    cli.undo_handoff(company_id=manager.company_id, estimate_id=manager.estimate_id)
    handoff = manager.handoff
    assert (handoff.state, handoff.undone_by) == (HandoffState.UNDONE, "operator")
    assert handoff.undo_request == (UndoRequest.CARRIED_OUT if asked else "")


def test_the_report_names_both_people(manager: Desk, admin: Desk) -> None:
    manager.act("undo/ask")
    admin.act("undo/now")
    carry_on()
    names = {admin.handoff.undo_asked_by: "Asker", admin.handoff.undone_by: "Doer"}
    with tenant(admin.company_id):
        found = dict(_facts(admin.handoff, names))
    assert found["Undo requested by"].startswith("Asker, ")
    assert found["Undone by"].startswith("Doer, ")


def test_in_french_each_state_has_its_words(manager: Desk, admin: Desk) -> None:
    manager.act("undo/ask")
    page = f"/embedded/handoffs/{manager.handoff.id}/"
    headers = {"authorization": f"Bearer {admin.frame.bearer}", "accept-language": "fr"}
    french = Client(headers=headers)
    assert "Project Manager l’a demandée à l’instant" in text_of(french.get(page))
    assert "Annuler le transfert" in text_of(french.get(f"{page}undo/"))
    declined = text_of(french.post(f"{page}undo/decline/"))
    assert "Annulation refusée" in declined
    assert "Project Manager l’a demandée; Company Admin a refusé à l’instant" in declined
