"""Private is private: nobody finds a record that Procore would not show them, at any address.

What each viewer may see is computed here from the simulator's records and the documented rule,
not from the app's columns and queries.
"""

import io
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from django.core.cache import cache as counters
from django.db.models import F
from django.urls import URLPattern, URLResolver, get_resolver
from openpyxl import load_workbook

from integrations.procore.api.manifest import LEVELS, Level
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.spec import Privacy
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.embedded.entitlement import (
    known_across,
    rights_on_each,
    visible_projects,
)
from partner_app.embedded.models import Entitlement
from partner_app.embedded.session import Viewer, begin, opening
from partner_app.insights.charts import KINDS as FIGURES
from partner_app.insights.digests import letter
from partner_app.insights.listings import KINDS as LISTS
from partner_app.insights.models import Digest, ExceptionCase
from partner_app.insights.refresh import compute_due, make_due
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company
from tests.frame import Frame
from tests.procore import Procore

VIEWERS = int(os.environ.get("PRIVATE_VIEWERS", "40"))
PREFIX = "zq"  # every marker begins with it: one search finds all that may be found
PANELS, CASES = 14, 10  # random ones for each viewer

# For each list: its tool, the field that names a record, and what contains it.
KINDS: dict[str, tuple[Tool, str, str]] = {
    "rfis": (Tool.RFIS, "subject", ""),
    "submittals": (Tool.SUBMITTALS, "title", ""),
    "change_events": (Tool.CHANGE_EVENTS, "title", ""),
    "work_order_contracts": (Tool.COMMITMENTS, "title", ""),
    "purchase_order_contracts": (Tool.COMMITMENTS, "title", ""),
    "commitment_line_items": (Tool.COMMITMENTS, "description", "holder.id"),
    "change_orders": (Tool.COMMITMENTS, "title", "contract_id"),
    "change_order_packages": (Tool.COMMITMENTS, "title", "contract_id"),
    "potential_change_orders": (Tool.COMMITMENTS, "title", "contract_id"),
    "requisitions": (Tool.COMMITMENTS, "invoice_number", "commitment_id"),
    "direct_costs": (Tool.DIRECT_COSTS, "description", ""),
    "direct_cost_line_items": (Tool.DIRECT_COSTS, "", "holder.id"),
    "observations": (Tool.OBSERVATIONS, "name", ""),
    "punch_items": (Tool.PUNCH_LIST, "name", ""),
}
AMOUNTS = {
    "work_order_contracts": "grand_total",
    "purchase_order_contracts": "grand_total",
    "commitment_line_items": "amount",
    "change_orders": "grand_total",
    "change_order_packages": "grand_total",
    "potential_change_orders": "grand_total",
    "requisitions": "total_claimed_amount",
    "direct_cost_line_items": "amount",
}
PEOPLE = (
    "created_by", "rfi_manager", "assignee", "assignees", "ball_in_court", "ball_in_courts",
    "received_from", "submittal_manager", "approvers", "distribution_members",
    "designated_reviewer", "reviewed_by", "punch_item_manager", "final_approver",
)  # fmt: skip
UNSAID = ("change_order_packages", "potential_change_orders")  # lists without the field
LEFT_OUT = "Sums leave out private records and drafts, also those that name you."
PANEL_VIEWS = {
    "rfis": "rfi.detail",
    "submittals": "submittal_logs.detail",
    "change_events": "change_events.detail",
    "work_order_contracts": "commitments.detail",
    "purchase_order_contracts": "commitments.detail",
    "requisitions": "commitments.requisitions.detail",
}


@dataclass
class Planted:
    """A Procore record, the markers that reveal it, and who may see it besides admins."""

    id: int
    project: int
    kind: str
    tool: Tool
    marks: list[str]
    restricted: bool
    named: set[int]
    holder: "Planted | None" = None

    def hidden_from(self, viewer: "Looker") -> bool:
        level = viewer.levels.get(self.project, {}).get(self.tool, Level.NONE)
        if level in (Level.NONE, Level.ADMIN):
            return level is Level.NONE
        kept = self.restricted and viewer.person not in self.named
        return kept or (self.holder is not None and self.holder.hidden_from(viewer))


@dataclass
class Looker:
    """A person with these levels, by project."""

    person: int
    levels: dict[int, dict[Tool, Level]] = field(default_factory=dict)


def people_on(record: dict[str, Any]) -> set[int]:
    found = {record["created_by_id"]} if "created_by_id" in record else set()
    for name in PEOPLE:
        said = record.get(name)
        for one in said if isinstance(said, list) else [said]:
            if isinstance(one, dict) and one.get("id"):
                found.add(one["id"])
    return found


def is_restricted(kind: str, record: dict[str, Any]) -> bool:
    status = record.get("status", "")
    said = status.get("status", "") if isinstance(status, dict) else status
    draft = "draft" in {str(said).lower(), record.get("workflow_status")}
    return draft or bool(record.get("private") or record.get("personal")) or kind in UNSAID


def plant(procore: Procore) -> list[Planted]:
    """Gives every record a unique name and, where it has an amount, a unique amount."""
    found: dict[int, Planted] = {}
    number = 0
    for project in procore.projects():
        for kind, (tool, title, holder) in KINDS.items():
            for record in procore.records(project, kind):
                number += 1
                key, marks = record["id"], []
                changes: dict[str, Any] = {}
                if title:
                    marks.append(f"{PREFIX}{number}x{kind.replace('_', '')}")
                    changes[title] = marks[0]
                if kind in AMOUNTS:
                    amount = Decimal(100_000 + 997 * number) + Decimal("0.13")
                    marks.append(f"{amount:,.2f}")
                    changes[AMOUNTS[kind]] = str(amount)
                if kind == "rfis" and record["status"] == "open":
                    value = 30_011 + 89 * number
                    marks.append(f"{value:,}.00")
                    changes["cost_impact"] = {"status": "yes_known", "value": value}
                procore.control(f"projects/{project}/{kind}/{key}", set=changes)
                # In lists, contracts name nobody but an order's assignee; lines name nobody at all.
                found[key] = Planted(
                    key, project, kind, tool, marks, is_restricted(kind, record),
                    set() if "line_items" in kind else people_on(record),
                    found.get(_at(record, holder)) if holder else None,
                )  # fmt: skip
                if holder and found[key].holder is None:  # of a prime contract: counts nowhere
                    found[key].restricted, found[key].named = True, set()
    return list(found.values())


def _at(record: dict[str, Any], path: str) -> int:
    node: Any = record
    for step in path.split("."):
        node = node[step]
    return int(node)


def draw(dice: random.Random, projects: list[int], people: list[int]) -> Looker:
    """Random projects, tools and levels; mostly a person whom some record names."""
    looker = Looker(dice.choice(people))
    for project in dice.sample(projects, dice.randint(1, len(projects))):
        usual = dice.choice((Level.READ, Level.STANDARD, Level.ADMIN, None))
        levels = {tool: usual or dice.choice(list(Level)) for tool in Tool}
        for tool in dice.sample(list(Tool), dice.randint(0, 3)):
            levels[tool] = dice.choice(list(Level))
        looker.levels[project] = {tool: one for tool, one in levels.items() if one > Level.NONE}
    return looker


def sign_in(procore: Procore, company: int, looker: Looker) -> Frame:
    """Signs in as if Procore had just reported these rights, and no others."""
    viewer = Viewer(company, looker.person)
    with opening(company):
        frame = Frame(procore, company, bearer=begin(viewer).token)
    here = {"company_id": company, "remote_user_id": looker.person, "checked_at": clock.now()}
    with tenant(company):
        Entitlement.objects.filter(company_id=company, remote_user_id=looker.person).delete()
        Entitlement.objects.create(**here, project_id=0, project_ids=list(looker.levels))
        Entitlement.objects.create(**here, project_id=-1)
        for project, levels in looker.levels.items():
            Entitlement.objects.create(
                **here,
                project_id=project,
                tools=sorted(levels),
                levels={tool: int(level) for tool, level in levels.items()},
            )
    return frame


@cache
def addresses() -> frozenset[str]:
    """Names of all addresses in the frame."""

    def names(patterns: Any) -> Iterator[str]:
        for each in patterns:
            if isinstance(each, URLResolver):
                yield from names(each.url_patterns)
            elif isinstance(each, URLPattern) and each.name:
                yield each.name

    found = [p for p in get_resolver().url_patterns if str(p.pattern) == "embedded/"]
    return frozenset(names(found))


# Those that change something, or show one estimate or handoff: these contain a file's lines and
# budget rows, which Procore never keeps private, and there are none here.
ELSEWHERE = frozenset(
    {"end-tour", "refresh", "case-snooze", "case-wake", "case-note", "save-view", "remove-view"}
    | {n for n in addresses() if n.startswith(("estimate", "mapping", "handoff", "reading"))}
    | {name for name in addresses() if name.startswith("settings-")}
    | {"codes", "plan", "pin-budget-view", "unpin-budget-view"}
) - {"estimates"}


def walk(
    dice: random.Random, planted: list[Planted], cases: list[int], projects: list[int]
) -> Iterator[tuple[str, str]]:
    """Addresses with their names: every page, and random exceptions, figures and panels."""
    yield "home", "/embedded/home/"
    yield "exceptions", "/embedded/exceptions/"
    yield "exceptions", "/embedded/exceptions/?page=2"
    yield "insights", "/embedded/insights/"
    yield "settings", "/embedded/settings/"
    yield "progress", "/embedded/progress/?seen=0"
    for page in (1, 2, 3):
        yield "search", f"/embedded/search/?q={PREFIX}&page={page}"
    kind = dice.choice(["rfis", "commitments", "change_orders", "requisitions", "observations"])
    yield "search", f"/embedded/search/?q={PREFIX}&kind={kind}"
    slug, form = dice.choice(list(FIGURES)), dice.choice(["csv", "xlsx"])
    yield "figure-download", f"/embedded/insights/{slug}.{form}"
    for case in dice.sample(cases, min(CASES, len(cases))):
        yield "case", f"/embedded/exceptions/{case}/"
    for project in dice.sample(projects, 2):
        base = f"/embedded/projects/{project}/"
        yield "project", base
        yield "arriving", base + "arriving/"
        yield "project-insights", base + "insights/"
        yield "project-figure-download", f"{base}insights/{dice.choice(list(FIGURES))}.csv"
        yield "estimates", base + "estimates/"
        yield "panel-view", f"/embedded/panel/{project}/budgeting.detail/"
        for listed in dice.sample(list(LISTS), 5):
            yield "records", f"{base}{listed}/"
    for record in dice.sample([p for p in planted if p.kind in PANEL_VIEWS], PANELS):
        view = PANEL_VIEWS[record.kind]
        yield "panel-record", f"/embedded/panel/{record.project}/{view}/{record.id}/"


@pytest.fixture
def planted(company: int, procore: Procore) -> list[Planted]:
    found = plant(procore)
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    return found


@pytest.mark.timeout(300 + 6 * VIEWERS)
def test_nobody_sees_what_is_private_and_not_theirs(
    company: int, procore: Procore, planted: list[Planted]
) -> None:
    """Seeded, for the number of viewers in PRIVATE_VIEWERS."""
    projects = procore.projects()
    people = sorted({key for record in planted for key in record.named})
    with tenant(company):
        cases = list(ExceptionCase.objects.filter(closed_at=None).values_list("id", flat=True))
    walked: set[str] = set()
    leaks: list[tuple[int, str, str]] = []
    seen = looks = mailed = 0
    for seed in range(VIEWERS):
        dice = random.Random(seed)
        looker = draw(dice, projects, people)
        hidden = {mark: r for r in planted if r.hidden_from(looker) for mark in r.marks}
        keys = {str(r.id) for r in planted if r.hidden_from(looker)}
        shown = [mark for r in planted if not r.hidden_from(looker) for mark in r.marks[:1]]
        frame = sign_in(procore, company, looker)
        counters.clear()  # resets rate limits, as time would
        for name, address in walk(dice, planted, cases, projects):
            page = frame.get(address)
            walked.add(name)
            assert page.status_code in {200, 403, 404}, (seed, address)
            html = text_in(page)
            looks += 1
            seen += any(mark in html for mark in shown)
            leaks += [(seed, address, mark) for mark in hidden if mark in html]
            asked = {word for word in address.split("/") if word.isdigit()}
            leaks += [(seed, address, key) for key in keys - asked if key in html]
        mail = digest_of(company, looker)
        leaks += [(seed, "digest", mark) for mark in hidden if mark in mail]
        mailed += any(mark in mail for mark in shown)
    assert leaks == []
    assert walked | ELSEWHERE >= addresses() - {"shell"}, "an address that nobody looks at"
    assert seen > looks / 10  # there was something to find
    assert mailed or VIEWERS < 20


def digest_of(company: int, looker: Looker) -> str:
    """The mail that they would get if all exceptions were new."""
    owner = Company.objects.get(id=company)
    digest = Digest(
        company=owner, remote_user_id=looker.person, address="somebody@example.com",
        language="en", sent_at=clock.now() - timedelta(days=1),
    )  # fmt: skip
    with tenant(company):
        rights = known_across(Viewer(company, looker.person), looker.levels)
    found = letter(digest, owner, rights)
    return "" if found is None else f"{found.subject}\n{found.body}"


@pytest.mark.parametrize("administers", [frozenset(), frozenset({Tool.RFIS, Tool.COMMITMENTS})])
def test_no_figure_depends_on_what_is_kept_from_the_viewer(
    company: int, procore: Procore, planted: list[Planted], administers: frozenset[Tool]
) -> None:
    """Whatever private records contain, a viewer without access to them sees the same pages."""
    projects = procore.projects()
    stranger = Looker(1)  # no record names them
    for project in projects:
        stranger.levels[project] = {
            tool: Level.ADMIN if tool in administers else Level.STANDARD for tool in Tool
        }
    frame = sign_in(procore, company, stranger)
    before = {address: bare(frame.get(address)) for address in summing(projects)}
    assert LEFT_OUT in frame.get("/embedded/home/").content.decode()
    hidden = [record for record in planted if record.hidden_from(stranger)]
    changed = 0
    with tenant(company):
        for record in hidden:
            name = "commitments" if record.kind.endswith("contracts") else record.kind
            model: Any = RESOURCES[name]
            columns = {field.name for field in model._meta.concrete_fields}
            more = {
                column: F(column) + 7_777 if column in MONEY else F(column) - timedelta(days=90)
                for column in columns & (MONEY | DAYS)
            }
            changed += model.objects.filter(remote_id=record.id).update(**more)
        make_due(company, projects)
    assert changed > 20
    compute_due(company_id=company)
    after = {address: bare(frame.get(address)) for address in before}
    for address, text in after.items():
        assert text.split() == before[address].split(), address
    whole = sign_in(
        procore, company, Looker(1, {p: dict.fromkeys(Tool, Level.ADMIN) for p in projects})
    )
    assert bare(whole.get("/embedded/home/")) != after["/embedded/home/"]


MONEY = {"grand_total", "amount", "total_claimed_amount", "cost_impact"}
DAYS = {"due_date", "submit_by"}


def summing(projects: list[int]) -> Iterator[str]:
    """Every page with a count or a sum, and the exceptions."""
    yield from ("/embedded/home/", "/embedded/exceptions/", "/embedded/exceptions/?page=2")
    yield "/embedded/insights/"
    for slug in FIGURES:
        yield f"/embedded/insights/{slug}.csv"
    for project in projects:
        base = f"/embedded/projects/{project}/"
        yield from (base, base + "insights/", f"/embedded/panel/{project}/budgeting.detail/")
        for listed in LISTS:
            yield f"{base}{listed}/"


def bare(page: Any) -> str:
    """The page without relative times and the sentence that something is left out."""
    assert page.status_code == 200
    text = re.sub(rf"\s*(<p[^>]*>)?\s*{LEFT_OUT}\s*", "", page.content.decode())
    text = text.replace("</p>", "")
    return re.sub(r"(just now|\d+\s(second|minute|hour)s? ago)", "", text)


@pytest.mark.parametrize("role", ["engineer", "manager", "reader", "controller", "superintendent"])
def test_people_of_each_level_see_what_procore_says(
    company: int, procore: Procore, planted: list[Planted], role: str
) -> None:
    """They sign in, and the app asks Procore for their levels."""
    person = procore.person(role, company)
    frame = Frame(procore, company).sign_in(role)
    viewer = Viewer(company, person["id"])
    rights = rights_on_each(viewer, sorted(visible_projects(viewer)))
    said = {tool: LEVELS[level.replace("_", "")] for tool, level in person["levels"].items()}
    assert len(rights) >= 2
    for own in rights.values():
        assert own.levels == {Tool(tool): level for tool, level in said.items() if level}
        assert own.person == person["id"]
    looker = Looker(person["id"], {key: dict(own.levels) for key, own in rights.items()})
    hidden = {mark for r in planted if r.hidden_from(looker) for mark in r.marks}
    found = set()
    for page in range(1, 20):
        html = text_in(frame.get("/embedded/search/", q=PREFIX, page=page))
        assert not [mark for mark in hidden if mark in html]
        words = set(re.findall(rf"{PREFIX}\d+x[a-z]+", html))
        found |= {r.id for r in planted if words & set(r.marks)}
    mine = [r for r in planted if r.kind == "rfis" and not r.hidden_from(looker)]
    assert {r.id for r in mine if r.restricted} <= found  # also records that name them, and drafts
    assert any(r.restricted for r in planted if r.kind == "rfis" and r.hidden_from(looker)) or (
        role == "superintendent"
    )


def test_each_resource_says_of_private_records_what_its_list_says(openapi: dict[str, Any]) -> None:
    """If a list has the field and we did not keep it, everybody would see private records."""
    shapes = {re.sub(r"{[^}]*}", "{}", key): shape for key, shape in _records(openapi).items()}
    told = 0
    for name, model in RESOURCES.items():
        for source in model.spec.sources if model.spec.tool not in (None, Tool.BUDGET) else ():
            listed, single = (
                FLAGS & shapes.get(re.sub(r"{[^}]*}", "{}", path), set())
                for path in (source.path, source.show)
            )
            expected = Privacy.SAID if listed else Privacy.UNSAID if single else Privacy.NONE
            assert model.spec.privacy is expected, name
            told += bool(listed)
    assert told > 5


FLAGS = {"private", "personal"}


def _records(openapi: dict[str, Any]) -> dict[str, set[str]]:
    """By path, the fields of its records."""
    found = {}
    for path, operations in openapi["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {})
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        found[path] = set(_fields(openapi, schema)) if schema else set()
    return found


def _fields(openapi: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    yield from schema.get("properties", {})
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _fields(openapi, part)
    if "items" in schema:
        yield from _fields(openapi, schema["items"])


def text_in(page: Any) -> str:
    if "spreadsheet" in page["Content-Type"]:
        book = load_workbook(io.BytesIO(page.content))
        return "\n".join(str(cell) for row in book.active.values for cell in row)  # type: ignore[union-attr]
    return str(page.content.decode())


def test_the_marks_are_of_every_kind_that_is_kept_and_of_every_reason(
    planted: list[Planted],
) -> None:
    """Otherwise the tests above would look for nothing."""
    named = [r for r in planted if r.restricted and r.named]
    assert {r.kind for r in planted} == KINDS.keys()
    assert {r.kind for r in planted if r.restricted} >= {
        "rfis", "submittals", "work_order_contracts", "purchase_order_contracts",
        "change_orders", "requisitions", "direct_costs", "observations", "punch_items",
    }  # fmt: skip
    assert len({r.kind for r in named}) > 5
    assert {model.spec.tool for model in RESOURCES.values()} - {None, Tool.BUDGET} <= {
        tool for tool, _title, _holder in KINDS.values()
    }
