"""Permission manifests in unexpected forms: denied with a remedy, never a traceback."""

import json
from typing import Any

import pytest

from tests.frame import Frame, text_of
from tests.procore import Procore

MANIFEST = "/rest/v1.0/settings/permissions"
ODD: list[Any] = [
    None,
    [],
    "ok",
    {"tools": None},
    {"tools": {"budget": None, "rfis": 7}},
    {"tools": [None, 1, "budget", {}, {"name": "budget"}]},
    {"tools": [{"name": "budget", "user_access_level": {"name": "Superuser", "id": 4}}]},
    {"tools": [{"name": None, "user_access_level": {"name": "admin"}}]},
    {"tools": [{"name": "budget", "user_access_level": [], "permitted_actions": "all"}]},
]


def answer_with(procore: Procore, body: Any, times: int = 40) -> None:
    procore.control("faults", kind="body", path=MANIFEST, status=200, times=times, body=body)


@pytest.mark.parametrize("body", [*map(json.dumps, ODD), "<html>", '{"tools": [', ""])
def test_an_odd_manifest_denies_every_page_in_words(
    synced: int, procore: Procore, body: str
) -> None:
    frame = Frame(procore, synced).sign_in("admin")
    answer_with(procore, body)
    project = procore.projects()[0]
    pages = ("/embedded/home/", f"/embedded/projects/{project}/", "/embedded/settings/")
    for path in pages:
        answer = frame.get(path)
        assert answer.status_code == 200, path
        assert "Budget</dt>" not in answer.content.decode()
    budget = frame.get(f"/embedded/projects/{project}/budget/")
    assert budget.status_code == 403
    assert frame.post("/embedded/settings/grace/", days=3).status_code == 403


def test_what_could_not_be_read_is_named_with_a_remedy(synced: int, procore: Procore) -> None:
    frame = Frame(procore, synced).sign_in("admin")
    tools = [
        {"name": "RFIs", "user_access_level": "Read Only"},
        {"name": "Budget", "user_access_level": {"name": "owner"}},
    ]
    answer_with(procore, json.dumps({"tools": tools}))
    project = procore.projects()[0]
    page = text_of(frame.get(f"/embedded/projects/{project}/"))
    assert "your access to Budget could not be read, so it counts as no access" in page
    assert "write to support" in page
    assert "Overdue RFIs" in page or "RFIs" in page
    refused = text_of(frame.get(f"/embedded/projects/{project}/budget/"))
    assert "could not be read, so it counts as no access" in refused
    settings = text_of(frame.get("/embedded/settings/"))
    assert "your access to Admin" not in settings  # the manifest names no Admin: clearly no admin
    answer_with(procore, "null")
    home = Frame(procore, synced).sign_in("admin").get("/embedded/home/")
    assert "answer about your access could not be read in full" in text_of(home)


def test_an_odd_manifest_at_installation_is_an_obstacle_in_words(frame: Frame) -> None:
    answer_with(frame.procore, json.dumps({"tools": [{"name": "admin"}]}))
    page = text_of(frame.connect())
    assert "your permissions there could not be read" in page
