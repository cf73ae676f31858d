"""A client that others wrote reads the stand-in as it reads Procore."""

from ProPyCore.procore import Procore as ProPyCore

from tests.procore import Procore


def test_propycore_reads_companies_projects_people_records_and_budget(procore: Procore) -> None:
    theirs = ProPyCore(
        procore.announcement["client_id"],
        procore.announcement["client_secret"],
        "",
        procore.announcement["api"],
        procore.announcement["login"],
    )
    company = theirs.companies.find("Halden Bay Builders")["id"]
    assert company == procore.company_id
    projects = [row["id"] for row in theirs.companies.get_projects(company)]
    assert sorted(projects) == procore.projects()
    project = projects[0]

    def same(rows: list[dict[str, int]], kind: str) -> bool:
        ours = {row["id"] for row in procore.records(project, kind)}
        return {row["id"] for row in rows} == ours

    assert same(theirs.rfis.get(company, project), "rfis")
    assert same(theirs.submittals.get(company, project), "submittals")
    assert theirs.directory.users.get(company)
    assert theirs.directory.vendors.get(company)
    view = theirs.budgets.views.get(company, project)[0]["id"]
    columns = theirs.budgets.columns.get(company, project, view)
    assert "original_budget_amount" in [column["id"] for column in columns]
    rows = theirs.budgets.rows.get(company, project, view)
    assert any(row["original_budget_amount"] != "0.00" for row in rows)
