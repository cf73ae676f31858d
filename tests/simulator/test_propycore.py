"""A third-party client reads the simulator as it reads Procore."""

from collections.abc import Iterator
from typing import Any

import pytest
from ProPyCore.procore import Procore as ProPyCore

from tests.procore import Procore

Rows = list[dict[str, Any]]


@pytest.fixture
def theirs(procore: Procore) -> ProPyCore:
    return ProPyCore(
        procore.announcement["client_id"],
        procore.announcement["client_secret"],
        "",
        procore.announcement["api"],
        procore.announcement["login"],
    )


def lists(theirs: ProPyCore, company: int, project: int) -> Iterator[tuple[str, Rows, Any]]:
    """Kind, what its list returns, how it shows one of them."""
    for kind, tool in (
        ("rfis", theirs.rfis),
        ("submittals", theirs.submittals),
        ("change_events", theirs.change_events),
        ("direct_costs", theirs.direct_costs),
        ("punch_items", theirs.quality.punch),
    ):
        yield kind, tool.get(company, project), tool.show


def test_propycore_reads_every_list_of_a_project_and_its_records(
    theirs: ProPyCore, procore: Procore
) -> None:
    company = theirs.companies.find("Halden Bay Builders")["id"]
    assert company == procore.company_id
    projects = [row["id"] for row in theirs.companies.get_projects(company)]
    assert sorted(projects) == procore.projects()
    for kind, rows, show in lists(theirs, company, projects[0]):
        known = {row["id"] for row in procore.records(projects[0], kind)}
        assert {row["id"] for row in rows} == known, kind
        assert show(company, projects[0], rows[0]["id"])["id"] == rows[0]["id"], kind


def test_propycore_reads_people_rights_and_the_budget(theirs: ProPyCore, procore: Procore) -> None:
    company, project = procore.company_id, procore.projects()[0]
    person = theirs.directory.users.get(company)[0]
    assert theirs.directory.users.show(company, None, person["id"])["name"] == person["name"]
    assert theirs.directory.vendors.get(company)
    assert "rfis" in [tool["name"] for tool in theirs.permissions.get(company, project)["tools"]]
    view = theirs.budgets.views.get(company, project)[0]["id"]
    columns = theirs.budgets.columns.get(company, project, view)
    assert "original_budget_amount" in [column["id"] for column in columns]
    rows = theirs.budgets.rows.get(company, project, view)
    assert any(row["original_budget_amount"] != "0.00" for row in rows)
