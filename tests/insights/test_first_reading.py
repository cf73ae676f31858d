"""During a company's first sync, each project says how long it still takes."""

import re

from integrations.procore.resources.tools import Tool
from integrations.procore.sync.schedule import make_due, synced_before
from partner_app.core.broker import broker
from tests.frame import Frame
from tests.procore import Procore
from tests.sync.test_use import ROUNDS, a_few_calls


def for_people(frame: Frame) -> Frame:
    """Widens the window that the sync has used up, because a viewer's own calls need some."""
    frame.procore.control("rates", per_spike=100_000)
    broker().flushdb()
    return frame


def test_an_open_project_says_how_long_it_takes_and_shows_what_has_come(
    company: int, procore: Procore
) -> None:
    make_due(company_id=company)
    a_few_calls(company, procore)
    frame = for_people(Frame(procore, company)).sign_in("admin")
    project = procore.projects()[-1]
    where, poll = f"/embedded/projects/{project}/", f"/embedded/projects/{project}/arriving/"
    page = frame.get(where).content.decode()
    assert f'hx-get="{poll}?tools=' in page
    waiting = frame.get(f"{poll}?tools=99")
    assert waiting["HX-Trigger"] == "synced", "the page showed other tools than have come by now"
    rounds = 0
    while not synced_before(company) and (rounds := rounds + 1) < ROUNDS:
        a_few_calls(company, procore)
    done = for_people(frame).get(f"{poll}?tools={len(Tool)}")
    assert done.content.strip() == b""
    assert done["HX-Trigger"] == "synced"
    assert poll not in frame.get(where).content.decode()


def test_home_says_of_each_project_how_long_it_takes(company: int, procore: Procore) -> None:
    make_due(company_id=company)
    frame = Frame(procore, company).sign_in("admin")
    seen = 0
    for _ in range(ROUNDS):
        a_few_calls(company, procore)
        page = for_people(frame).get("/embedded/home/").content.decode()
        seen += len(re.findall(r"Complete in about \d+ minutes?", page))
        if synced_before(company):
            break
    assert seen
    assert "Complete in about" not in frame.get("/embedded/home/").content.decode()
