"""An administrator pins a budget view, with a preview; everybody else sees which one is read."""

import re

from partner_app.audit.models import AuditEvent
from tests.frame import Frame, text_of

PAGE = "/embedded/settings/budget-view/"


def options(page: str, name: str) -> dict[str, str]:
    """A select's options: names by value, and the selected one under an empty key."""
    found = re.search(rf'<select id="{name}" name="{name}">(.*?)</select>', page, re.DOTALL)
    assert found, name
    every = re.findall(r'<option value="(\d*\w*)"( selected)?>([^<]*)', found[1])
    chosen = next((text for _, selected, text in every if selected), "")
    return {value: text for value, _, text in every} | {"chosen": chosen}


def column(page: str, meaning: str, name: str) -> str:
    return next(key for key, text in options(page, meaning).items() if text == name and key)


def test_the_page_begins_with_the_standard_view_and_its_columns_by_name(admin: Frame) -> None:
    page = admin.get(PAGE).content.decode()
    assert options(page, "view")["chosen"] == "Procore Standard Budget – standard"
    assert options(page, "committed_costs")["chosen"] == "Committed Costs"
    assert options(page, "projected_over_under")["chosen"] == "Projected over Under"
    assert "standard budget view" in text_of(admin.get("/embedded/settings/"))


def test_a_view_with_columns_of_its_own_is_shown_before_it_is_pinned(admin: Frame) -> None:
    procore = admin.procore
    project, own = procore.projects()[0], procore.budget_views()[0]
    page = admin.get(PAGE, project=project, view=own["id"]).content.decode()
    assert options(page, "committed_costs")["chosen"] == "", "its names say nothing to us"
    signed = column(page, "committed_costs", "Signed Contracts")
    asked = {"project": project, "view": own["id"], "shown": own["id"], "committed_costs": signed}
    page = admin.get(PAGE, **asked).content.decode()
    assert options(page, "committed_costs")["chosen"] == "Signed Contracts"
    shown = re.findall(r'<td class="amount" data-label="([^"]+)">([^<]+)</td>', page)[:3]
    assert [amount.startswith("$") for _row, amount in shown] == [True] * 3, shown
    answer = admin.post(PAGE + "pin/", **asked)
    assert answer.status_code == 200
    assert "Saved." in text_of(answer)
    assert "All projects are read with the view “Executive Summary”" in text_of(answer)
    event = AuditEvent.objects.get(event="company.budget_view_chosen")
    assert event.facts == {"view": own["name"], "columns": "committed_costs=Signed Contracts"}
    assert "Executive Summary" in text_of(admin.get("/embedded/settings/"))
    page = text_of(admin.post(PAGE + "unpin/", project=project))
    assert "Every project is read with Procore’s standard budget view." in page


def test_a_view_or_column_that_the_project_does_not_have_cannot_be_pinned(admin: Frame) -> None:
    project = admin.procore.projects()[0]
    for asked in ({"view": 12}, {"view": "x"}, {}):
        assert admin.post(PAGE + "pin/", project=project, **asked).status_code == 422
    standard = admin.procore.budget_views()[1]["id"]
    asked = {"project": project, "view": standard, "shown": standard, "direct_costs": "nowhere"}
    admin.post(PAGE + "pin/", **asked)
    event = AuditEvent.objects.get(event="company.budget_view_chosen")
    assert event.facts["columns"] == ""


def test_a_project_without_views_or_rights_and_a_silent_procore_are_said_in_words(
    admin: Frame,
) -> None:
    procore, company = admin.procore, admin.company_id
    first, second, *_ = procore.projects()
    every = [view["id"] for view in procore.budget_views()]
    procore.control(f"companies/{company}/budget-views", project_id=first, hide=every)
    assert "no budget view in Procore" in text_of(admin.get(PAGE, project=first))
    procore.control(
        "faults", kind="status", method="GET", path="*budget_views", status=500, times=9
    )
    text = text_of(admin.get(PAGE, project=second))
    assert "You can preview with another project." in text
    procore.control("clear-faults", all=True)
    procore.control("people", id=procore.person("admin")["id"], tools=["rfis"])


def test_only_an_administrator_may_look_or_choose(engineer: Frame) -> None:
    assert engineer.get(PAGE).status_code == 403
    assert engineer.post(PAGE + "pin/", view=1).status_code == 403
    assert engineer.post(PAGE + "unpin/").status_code == 403
    assert "Choose the view" not in text_of(engineer.get("/embedded/settings/"))
