"""Rights go with every row: the page of a case shows no record and no amount of a withheld tool."""

import re
from typing import Any

import pytest
from django.conf import settings

from integrations.procore.resources.registry import RESOURCES
from partner_app.core import clock
from partner_app.embedded.entitlement import Tool
from partner_app.embedded.models import Entitlement
from partner_app.insights.models import Audience, ExceptionCase, Rule
from partner_app.insights.rules import TOOLS
from partner_app.tenancy.context import tenant
from tests.frame import Frame

# The fewest tools with which each rule may be heard of, then those with one more, and all.
SETS: list[frozenset[Tool]] = sorted(
    {frozenset(wanted) for wanted in TOOLS.values()}
    | {frozenset(wanted | {Tool.BUDGET}) for wanted in TOOLS.values()}
    | {frozenset(Tool)},
    key=lambda tools: (len(tools), sorted(tools)),
)
MOST = 2  # pages of one rule


@pytest.fixture
def looker(admin: Frame) -> Frame:
    admin.get("/embedded/home/")
    return admin


def give(frame: Frame, tools: frozenset[Tool]) -> None:
    """As if Procore had just said that the viewer has these tools, and only these, everywhere."""
    with tenant(frame.company_id):
        rows = Entitlement.objects.exclude(project_id__lte=0)
        assert rows.update(tools=sorted(tools), checked_at=clock.now(), edits_budget=False)


def links_of_withheld(company_id: int, tools: frozenset[Tool]) -> dict[str, str]:
    """The paths in Procore of all records whose tool the viewer lacks, with the resource."""
    found: dict[str, str] = {}
    for name, model in RESOURCES.items():
        if model.spec.tool not in set(Tool) - tools:
            continue
        if "{remote_id}" in model.spec.web:
            rows: Any = model._base_manager.filter(company_id=company_id)
            found |= {row.web_path: name for row in rows}
    return found


def test_no_case_shows_a_record_or_an_amount_of_a_withheld_tool(looker: Frame) -> None:
    company, looks, with_more = looker.company_id, 0, 0
    with tenant(company):
        everything = links_of_withheld(company, frozenset())
        cases = {rule: list(of_rule(company, rule)) for rule in Rule}
    for tools in SETS:
        give(looker, tools)
        with tenant(company):
            withheld = links_of_withheld(company, tools)
        for rule, rows in cases.items():
            for case in rows:
                page = looker.get(f"/embedded/exceptions/{case.id}/")
                if not TOOLS[rule] <= tools:
                    assert page.status_code == 403, (rule, tools)
                    continue
                html = page.content.decode()
                assert page.status_code == 200
                links = linked_from(html)
                leaked = {withheld[path] for path in links & withheld.keys()}
                assert not leaked, (rule, sorted(tools), leaked)
                if Tool.BUDGET not in tools:
                    assert "$" not in html, (rule, sorted(tools))
                looks += 1
                with_more += len(links & everything.keys()) > 1
    assert looks > 20
    assert with_more > 3  # there was something that could have leaked


def linked_from(html: str) -> set[str]:
    """Paths of the records in Procore that a page has links to."""
    links = re.findall(r'href="([^"]+)"', html)
    return {link.removeprefix(settings.FRAME_ANCESTORS[0]) for link in links}


def of_rule(company_id: int, rule: Rule) -> Any:
    """Those that have something beside the record itself come first."""
    open_ones = ExceptionCase.objects.filter(company_id=company_id, rule=rule, closed_at=None)
    open_ones = open_ones.exclude(audience=Audience.OTHERS)  # the viewer administers their tools
    events: Any = RESOURCES["change_events"]._base_manager
    origins = events.filter(company_id=company_id, origin_id__isnull=False)
    rfis = [f"rfi:{key}" for key in origins.values_list("origin_id", flat=True)]
    linked = [f"event:{key}" for key in origins.values_list("remote_id", flat=True)]
    first = open_ones.filter(subject__in=[*rfis, *linked])
    return first[:MOST] if first.exists() else open_ones[:MOST]
