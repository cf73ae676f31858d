"""However a permission manifest deviates, nobody may do more than Procore clearly says."""

import os
import random
from typing import Any

from partner_app.core.errors import TiebackError
from partner_app.embedded.entitlement import (
    company_rights,
    forget,
    rights_on_each,
    visible_projects,
)
from partner_app.embedded.session import Viewer
from tests.frame import Frame
from tests.procore import Procore
from tests.simulator.schemas import record_schemas

SEEDS = int(os.environ.get("WILD_SEEDS", "4"))
SHAPES = (
    "records_under_data", "lists_under_data", "lists_under_their_tool", "nulls", "missing_keys",
    "one_for_many", "many_for_one", "numbers_as_text", "text_as_numbers", "extra_keys",
    "names_in_other_spelling", "unknown_levels", "strangers_in_lists",
)  # fmt: skip
ROLES = ("admin", "engineer", "manager")
Right = tuple[object, ...]


def rights(viewer: Viewer, projects: list[int]) -> set[Right]:
    """Everything that the viewer may see or do, read from Procore now."""
    forget(viewer)
    found: set[Right] = {("sees", project) for project in visible_projects(viewer)}
    for project, on in rights_on_each(viewer, projects).items():
        found |= {(project, tool) for tool in on.tools}
        found |= {(project, tool, "admin") for tool in on.administers}
        found |= {(project, "edits budget")} if on.edits_budget else set()
    return found | ({("company admin",)} if company_rights(viewer).admin else set())


def test_no_deviation_grants_a_right(
    synced: int, procore: Procore, openapi: dict[str, Any]
) -> None:
    schemas = record_schemas(openapi)
    projects = procore.projects()[:2]
    viewers = []
    for role in ROLES:
        Frame(procore, synced).sign_in(role)
        viewers.append(Viewer(synced, procore.person(role, synced)["id"]))
    plain = [rights(viewer, projects) for viewer in viewers]
    denied = 0
    for seed in range(SEEDS):
        dice = random.Random(seed)
        switches = [name for name in SHAPES if dice.random() < 0.5]
        procore.wild("wrong_values", *switches, seed=seed, schemas=schemas)
        for viewer, granted in zip(viewers, plain, strict=True):
            try:
                found = rights(viewer, projects)
            except TiebackError:
                continue
            assert found <= granted, f"seed {seed}: {switches}"
            denied += len(granted - found)
    assert denied > 0  # unproved rights are denied
    procore.tame()
    assert [rights(viewer, projects) for viewer in viewers] == plain
