"""The first day's checks, run against the simulator as an operator runs them."""

import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from integrations.procore.webhooks.hooks import reconcile
from partner_app.connections.first_day import shape_of
from tests.commands.test_contract import run
from tests.house.test_rules import page
from tests.procore import Procore

PAGE = "operations/first-day.md"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def found(company: int, *arguments: object) -> dict[str, Any]:
    answer = run("doctor", "--first-day", company, *arguments)
    assert all({"name", "found", "means"} == set(check) for check in answer["checks"])
    assert all(check["means"] for check in answer["checks"])
    return {check["name"]: check for check in answer["checks"]}


def test_the_reading_half_makes_ten_calls_and_writes_nothing(
    company: int, procore: Procore
) -> None:
    procore.control("clear", all=True)
    checks = found(company)
    calls = [call for call in procore.ledger() if call["origin"] == "api"]
    calls = [call for call in calls if call["path"].startswith("/rest/")]
    assert len(calls) == 10
    assert {call["method"] for call in calls} == {"GET"}
    assert procore.violations() == []
    assert len(checks["rate headers of ten calls"]["found"]) == 10
    (budget,) = checks["permission names of the Budget tool"]["found"]
    names = {action["action_name"] for action in budget["permitted_actions"]}
    assert "create_and_edit_original_budget_amount" in names
    shapes = checks["shape of change order and change event lists"]["found"]
    assert {shape["envelope"] for shape in shapes.values()} == {"array"}
    assert all(shape["rows"] for shape in shapes.values())
    companies = checks["companies with and without header"]
    assert companies["found"]["with header"] == {"companies": 2, "names_this_one": True}
    rows = checks["detail rows of two views"]["found"]
    assert all(each["rows"] and "cost_code" in each["fields"] for each in rows["seen"])
    (login,) = checks["headers of the login page"]["found"]
    assert login["Cross-Origin-Opener-Policy"] is None
    assert login["X-Frame-Options"] == "DENY"


def test_each_answer_changes_what_it_means(company: int, procore: Procore) -> None:
    before = found(company)
    procore.control("login", opener_policy="same-origin")
    procore.control("service-account", company_id=company, manifest={"granular": []})
    events = '{"change_events": [{"id": 1}]}'
    where = {"path": "/rest/v1.1/change_events", "kind": "body", "status": 200}
    procore.control("faults", **where, body=events)
    second = procore.projects()[1]
    after = found(company, "--project", second)
    assert "type the code" in after["headers of the login page"]["means"]
    assert "not proved" in after["permission names of the Budget tool"]["means"]
    shapes = after["shape of change order and change event lists"]["found"]
    assert shapes["change_events"] == {
        "envelope": "object, under “change_events”",
        "rows": 1,
        "fields": ["id"],
    }
    changed = {name for name in before if before[name]["means"] != after[name]["means"]}
    assert changed == {"headers of the login page", "permission names of the Budget tool"}


def test_trouble_with_one_check_is_its_answer_and_the_others_go_on(
    company: int, procore: Procore
) -> None:
    where = {"path": "/rest/v1.0/budget_views", "kind": "status", "status": 403}
    procore.control("faults", **where)
    checks = found(company)
    assert "no answer" in checks["detail rows of two views"]["found"]
    assert checks["headers of the login page"]["found"]


def test_a_project_that_is_not_permitted_and_an_unknown_company_are_refused(
    company: int, procore: Procore
) -> None:
    assert run("doctor", "--first-day", company, "--project", 7, status=1)["error"] == "not_found"
    assert run("doctor", "--first-day", 17, status=1)["error"] == "unknown"


@pytest.mark.parametrize(
    ("document", "envelope", "rows"),
    [
        ([{"id": 1}], "array", 1),
        ({"data": []}, "object, under “data”", 0),
        ({"a": [], "b": []}, "unknown", None),
        (None, "unknown", None),
        ("<html>", "unknown", None),
        ([[1]], "array", 1),
    ],
)
def test_a_shape_is_named_whatever_it_is(document: object, envelope: str, rows: int | None) -> None:
    shape = shape_of(document)
    assert (shape["envelope"], shape["rows"]) == (envelope, rows)


class Operator:
    """Runs the page's commands in a shell, with the page's variables filled in."""

    def __init__(self, procore: Procore, company: int) -> None:
        _, self.variables, self.start, *self.blocks = BLOCK.findall(page(PAGE))
        project = procore.projects()[1]
        codes = procore.records(project, "wbs_codes")
        lines = procore.records(project, "budget_line_items")
        budgeted = {line["wbs_code_id"] for line in lines}
        free = [c["id"] for c in codes if c["status"] == "active" and c["id"] not in budgeted]
        (line, *_) = (line for line in lines if line["deletable"])
        self.procore, self.project = procore, project
        self.environment = {
            "PATH": os.environ["PATH"],
            "API": procore.announcement["api"],
            "LOGIN": procore.announcement["login"],
            "PROCORE_CLIENT_ID": procore.announcement["client_id"],
            "PROCORE_CLIENT_SECRET": procore.announcement["client_secret"],
            "COMPANY": str(company),
            "PROJECT": str(project),
            "FREE_CODE": str(free[0]),
            "OTHER_FREE_CODE": str(free[1]),
            "LINE": str(line["id"]),
            "LINE_CODE": str(line["wbs_code_id"]),
        }

    def type(self, number: int, **variables: str) -> list[str]:
        """Runs check `number` and returns the statuses."""
        done = subprocess.run(
            ["/bin/sh", "-c", self.start + self.blocks[number - 7]],
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        self.output = done.stdout
        return re.findall(r"\[(\d{3})\]\n", done.stdout)


@pytest.fixture
def operator(procore: Procore, company: int) -> Operator:
    if shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    return Operator(procore, company)


def test_the_writing_checks_run_as_they_are_written(operator: Operator) -> None:
    names = set(re.findall(r"(\w+)=…", operator.variables))
    assert names <= set(operator.environment)
    assert operator.type(7) == ["422"]
    assert operator.type(8) == ["200", "422"]
    operator.procore.control(f"projects/{operator.project}/lock", locked=True)
    assert operator.type(9) == ["403", "403"]
    reconcile(company_id=int(operator.environment["COMPANY"]))
    operator.type(10, HOOK="1")
    hook = re.findall(r'"id": "(\d+)"', operator.output)[0]
    assert operator.type(10, HOOK=hook) == ["200", "200"]
    kinds = {each["kind"] for each in operator.procore.violations()}
    assert kinds == set()


def test_an_address_that_is_no_sandbox_is_refused_before_anything_is_asked(
    operator: Operator,
) -> None:
    operator.procore.control("clear", all=True)
    assert operator.type(7, API="https://api.procore.com") == []
    assert "not a sandbox" in operator.output
    assert operator.procore.ledger() == []
