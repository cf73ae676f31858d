"""The generated world: the same seed gives the same, and sizes are as documented."""

import pytest

from simulator.clock import Clock
from simulator.seed import build_world
from simulator.world import World

KINDS = (
    "rfis", "submittals", "change_events", "work_order_contracts", "purchase_order_contracts",
    "wbs_codes", "budget_line_items", "commitment_line_items", "change_orders", "direct_costs",
    "requisitions", "observations", "punch_items",
)  # fmt: skip


def records(world: World) -> int:
    company = next(iter(world.companies.values()))
    rows = sum(
        len(getattr(project, kind)) for project in company.projects.values() for kind in KINDS
    )
    return rows + len(company.users) + len(company.vendors) + len(company.projects)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "about"), [("S", 600), ("M", 20_000), ("L", 200_000)])
def test_a_size_has_about_as_many_records_as_it_says(size: str, about: int) -> None:
    count = records(build_world(Clock(), size=size, seed=1))
    assert 0.8 * about < count < 1.2 * about


def test_the_same_seed_gives_the_same_records_and_another_others() -> None:
    def names(seed: int) -> list[object]:
        world = build_world(Clock(), size="S", seed=seed)
        return [
            (rfi["id"], rfi["subject"], rfi["status"])
            for project in world.all_projects()
            for rfi in project.rfis.values()
        ]

    assert names(3) == names(3)
    assert names(3) != names(4)
