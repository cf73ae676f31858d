"""Rights apply to every row: an exception's page shows nothing of a withheld tool."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template import Context, Template

from integrations.procore.api.manifest import Level
from integrations.procore.resources.direct_costs import DirectCost
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.tools import Tool
from partner_app.core import clock
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.models import Entitlement
from partner_app.embedded.sight import Amount, VisibleRecord
from partner_app.insights.health import Sight
from partner_app.insights.models import Audience, ExceptionCase, Rule
from partner_app.insights.rules import TOOLS
from partner_app.tenancy.context import tenant
from tests.frame import Frame

# The fewest tools that show each rule, then those plus Budget, and all.
SETS: list[frozenset[Tool]] = sorted(
    {frozenset(wanted) for wanted in TOOLS.values()}
    | {frozenset(wanted | {Tool.BUDGET}) for wanted in TOOLS.values()}
    | {frozenset(Tool)},
    key=lambda tools: (len(tools), sorted(tools)),
)
MOST = 2  # pages for each rule


@pytest.fixture
def looker(admin: Frame) -> Frame:
    admin.get("/embedded/home/")
    return admin


def give(frame: Frame, tools: frozenset[Tool]) -> None:
    """As if Procore had just said that the viewer has exactly these tools, everywhere."""
    with tenant(frame.company_id):
        rows = Entitlement.objects.exclude(project_id__lte=0)
        assert rows.update(tools=sorted(tools), checked_at=clock.now(), edits_budget=False)


def links_of_withheld(company_id: int, tools: frozenset[Tool]) -> dict[str, str]:
    """The Procore paths of all records whose tool the viewer lacks, with the resource."""
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
    """The Procore paths of records that a page links to."""
    links = re.findall(r'href="([^"]+)"', html)
    return {link.removeprefix(settings.FRAME_ANCESTORS[0]) for link in links}


def of_rule(company_id: int, rule: Rule) -> Any:
    """Exceptions linked to another record come first."""
    open_ones = ExceptionCase.objects.filter(company_id=company_id, rule=rule, closed_at=None)
    open_ones = open_ones.exclude(audience=Audience.OTHERS)  # the viewer administers their tools
    events: Any = RESOURCES["change_events"]._base_manager
    origins = events.filter(company_id=company_id, origin_id__isnull=False)
    rfis = [f"rfi:{key}" for key in origins.values_list("origin_id", flat=True)]
    linked = [f"event:{key}" for key in origins.values_list("remote_id", flat=True)]
    first = open_ones.filter(subject__in=[*rfis, *linked])
    return first[:MOST] if first.exists() else open_ones[:MOST]


def levels(*tools: Tool) -> Rights:
    return Rights(1, 2, dict.fromkeys(tools, Level.READ))


@pytest.mark.parametrize("value", [Decimal("12.50"), "$12.50", 12])
def test_an_amount_is_written_only_where_the_rights_of_who_looks_made_it(value: object) -> None:
    """A developer who skips the check gets an error in a test, not a figure on a page."""
    page = Template("{% load workspace %}{{ value|cost }}")
    with pytest.raises(TypeError, match="rights of who looks"):
        page.render(Context({"value": value}))


def test_a_record_on_a_page_has_the_amounts_that_its_viewer_may_see() -> None:
    page = Template("{% load workspace %}{{ row.subject }} {{ row.cost_impact|cost }}")
    rfi = Rfi(subject="Beam", cost_impact=Decimal("12.50"))

    def written(rights: Rights, tool: Tool | None = None) -> str:
        return str(page.render(Context({"row": VisibleRecord(rfi, rights, tool)})))

    assert written(levels(Tool.RFIS, Tool.BUDGET)) == "Beam $12.50"
    assert written(levels(Tool.RFIS)) == "Beam –"
    assert written(levels(Tool.RFIS), Tool.RFIS) == "Beam –"  # budget data, even in the RFI list
    cost = DirectCost(grand_total=Decimal(3), currency="EUR")
    own = VisibleRecord(cost, levels(Tool.DIRECT_COSTS), Tool.DIRECT_COSTS)
    assert own.grand_total == Amount(Decimal(3), "EUR")
    assert VisibleRecord(cost, levels(Tool.RFIS), Tool.DIRECT_COSTS).grand_total is None
    assert VisibleRecord(cost, levels(Tool.DIRECT_COSTS)).grand_total is None


def test_no_page_of_records_writes_an_amount_in_another_way() -> None:
    folder = Path(__file__).resolve().parents[2] / "templates" / "insights"
    pages = [*folder.glob("_table_*.html"), folder / "_cases.html", folder / "digest.txt"]
    assert len(pages) > 8
    for page in pages:
        assert "|money" not in page.read_text(), page.name


def test_a_budget_stands_in_for_unread_costs_only_for_who_sees_it() -> None:
    """Its columns include private costs."""
    some = Sight.of(levels(Tool.BUDGET, Tool.COMMITMENTS))
    assert some.narrowed(borrowed=True) == some
    assert Tool.COMMITMENTS not in Sight.of(levels(Tool.COMMITMENTS)).narrowed(borrowed=True).tools
    administers = Sight.of(Rights(1, 2, {Tool.COMMITMENTS: Level.ADMIN}))
    assert administers.narrowed(borrowed=True) == administers


def test_what_nobody_has_computed_yet_is_not_shown_as_nothing() -> None:
    sight = Sight.of(Rights(1, 2, {Tool.RFIS: Level.ADMIN, Tool.COMMITMENTS: Level.STANDARD}))
    assert sight.narrowed(unknown=True).tools == {Tool.RFIS}
