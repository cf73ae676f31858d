"""However a record deviates from its documentation, only that record may be affected.

Deviations of every resource are generated from Procore's own schema: types, nulls, extra and
missing keys, envelopes, values of open sets. Meanwhile people go on changing records.
"""

import os
import random
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from tests.frame import Frame
from tests.procore import Procore
from tests.simulator.calls import as_service
from tests.simulator.schemas import record_schemas

SEEDS = int(os.environ.get("WILD_SEEDS", "2"))
A_BATCH = 10  # seeds one after another in one company
SHAPES = (
    "lists_under_data", "lists_under_their_tool", "records_under_data", "nulls", "missing_keys",
    "unknown_statuses", "one_for_many", "many_for_one", "dates_as_moments", "moments_as_dates",
    "amounts_with_separators", "numbers_as_text", "text_as_numbers", "extra_keys",
    "strangers_in_lists",
)  # fmt: skip
# Records listed within others, and the column that names the other.
HOLDERS = {"change_event_lines": "event_id"}
# These change or remove a record's content.
LOSING = ("wrong_values", "nulls", "missing_keys", "unknown_statuses", "moments_as_dates")


@dataclass(frozen=True)
class Row:
    """A mirrored record: where it belongs, and its content."""

    project_id: int | None
    parent_id: int | None
    content: bytes = field(repr=False)


Mirror = dict[tuple[str, int], Row]


def mirror(company_id: int) -> Mirror:
    found: Mirror = {}
    with tenant(company_id):
        for name, model in RESOURCES.items():
            parents_of = [s.parent.column for s in model.spec.sources if s.parent]
            parent = HOLDERS.get(name) or next(iter(parents_of), None)
            columns = ["remote_id", "project_id", "content_hash", *([parent] if parent else [])]
            rows = model._base_manager.filter(company_id=company_id).values_list(*columns)
            for key, project_id, content, *parents in rows:
                parent_id = parents[0] if parents else None
                found[(name, key)] = Row(project_id, parent_id, bytes(content))
    return found


def sync(company_id: int, *, full: bool) -> list[tuple[str, str]]:
    """Returns the failures of what is derived from the records."""
    answer = sync_now(company_id=company_id, full=full, only=[], wait=clock.wait_until)
    warnings: list[dict[str, object]] = answer["warnings"]  # type: ignore[assignment]
    return [("tracebacks", str(warning["message"])) for warning in warnings]


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """One line at the end, which `make chaos` prints."""
    counts: Counter[str] = Counter()
    began = time.monotonic()
    yield counts
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    if reporter and SEEDS > 2:
        words = ("lost", "doubled", "wrongly deleted", "tracebacks")
        figures = ", ".join(f"{counts[word]} {word}" for word in words)
        minutes = (time.monotonic() - began) / 60
        reporter.write_line(f"\n{counts['seeds']} seeds, {figures}, {minutes:.0f} minutes")


@pytest.fixture
def views(procore: Procore, company: int) -> dict[int, set[int]]:
    """Ids of each project's budget views: rows cannot be read through a damaged one."""
    service = as_service(procore)
    return {
        project: {
            row["id"]
            for row in service.call("GET", f"/rest/v1.0/budget_views?project_id={project}").json()
        }
        for project in procore.projects()
    }


@pytest.mark.parametrize("batch", range(-(-SEEDS // A_BATCH)))
def test_no_deviation_costs_another_record(
    company: int,
    procore: Procore,
    openapi: dict[str, Any],
    views: dict[int, set[int]],
    tally: Counter[str],
    batch: int,
) -> None:
    schemas = record_schemas(openapi)
    frame = Frame(procore, company).sign_in("admin")
    before: Mirror = {}  # a company's first sync is a wild one
    for seed in range(batch * A_BATCH, min(SEEDS, (batch + 1) * A_BATCH)):
        dice = random.Random(seed)
        switches = [name for name in SHAPES if dice.random() < 0.5]
        procore.control("mutations", changes=dice.randint(0, 40), seed=seed, company_id=company)
        procore.wild("wrong_values", *switches, seed=seed, schemas=schemas)
        raised = tried(company, full=dice.random() < 0.5)
        raised += seen(frame)
        wild, struck = mirror(company), procore.struck(*LOSING)
        procore.tame()
        sync(company, full=True)
        strict = mirror(company)
        problems = compared(before, wild, strict, Struck(struck, views)) + raised
        tally.update(seeds=1, **Counter(kind for kind, _ in problems))
        assert problems == [], f"seed {seed}: {switches}"
        before = strict


def tried(company_id: int, *, full: bool) -> list[tuple[str, str]]:
    """No answer of Procore may raise."""
    try:
        return sync(company_id, full=full)
    except Exception:  # noqa: BLE001  # whatever it is, it is what this test looks for
        return [("tracebacks", traceback.format_exc(limit=-6))]


def seen(frame: Frame) -> list[tuple[str, str]]:
    """Pages open, whatever Procore says about records and permissions."""
    paths = ["/embedded/home/", f"/embedded/projects/{frame.procore.projects()[0]}/"]
    answers = {path: frame.get(path).status_code for path in paths}
    return [("tracebacks", f"{path}: {code}") for path, code in answers.items() if code >= 500]


@dataclass(frozen=True)
class Struck:
    """Ids of records that deviated, and of those read through them."""

    ids: set[int]
    views: dict[int, set[int]]

    def hits(self, resource: str, key: int, row: Row) -> bool:
        """Whether the row, or a record that it is only found through, deviated."""
        through = {key, row.project_id, row.parent_id}
        if resource == "budget_rows":
            through |= self.views.get(row.project_id or 0, set())
        return bool(self.ids & through)


def compared(before: Mirror, wild: Mirror, strict: Mirror, struck: Struck) -> list[tuple[str, str]]:
    """The kind of damage, and the record."""
    problems = []
    for place, row in strict.items():
        if place not in wild and place in before:
            problems.append(("wrongly deleted", f"{place}"))
        elif not struck.hits(*place, row) and (
            place not in wild or wild[place].content != row.content
        ):
            problems.append(("lost", f"{place}"))
    # A deviating record may not say that it was deleted; it then counts as existing.
    unknown = {
        key for key in wild.keys() - strict.keys() - before.keys() if key[1] not in struck.ids
    }
    return problems + [("doubled", f"{place}") for place in unknown]
