"""Fills a world with plausible records: the same seed and size give the same records."""

import random
from dataclasses import dataclass
from datetime import timedelta

from simulator.catalogue import (
    BUDGET_VIEWS,
    BUSINESS_KINDS,
    CIVIL_SECTIONS,
    CIVIL_TITLES,
    COST_CODES,
    COST_TYPES,
    PLACES,
    PROJECT_NAMES,
    ROLES,
    TRADES,
    UNITS,
)
from simulator.chance import Chance
from simulator.clock import Clock, stamp
from simulator.costs import Costs
from simulator.links import EVERY, link_some, to_three_tiers
from simulator.privacy import withhold
from simulator.records import UNLISTED, Records
from simulator.world import PROJECT_TOOLS, BudgetView, Company, Person, Project, Record, World


@dataclass(frozen=True)
class Size:
    """How many of each a company gets; from `rfis` on, for each project."""

    projects: int
    users: int
    vendors: int
    rfis: int
    submittals: int
    change_events: int
    commitments: int
    change_orders: int
    direct_costs: int
    requisitions: int
    observations: int
    punch_items: int
    wbs_codes: int
    budget_rows: int


SIZES = {
    "S": Size(4, 16, 20, 18, 16, 8, 6, 4, 6, 4, 4, 6, 34, 20),  # about 600 records
    "M": Size(25, 300, 700, 140, 140, 50, 30, 15, 40, 25, 25, 40, 150, 100),  # about 20,000
    "W": Size(100, 300, 700, 28, 24, 14, 8, 5, 12, 8, 5, 8, 48, 30),  # 20,000 in many projects
    "L": Size(200, 800, 1400, 160, 160, 60, 40, 20, 60, 40, 40, 60, 180, 130),  # about 200,000
}
SUBCONTRACT, PURCHASE_ORDER = "WorkOrderContract", "PurchaseOrderContract"
BASE_TYPES = {"S": "commitment", "M": "materials", "E": "equipment"}
# People beside admin, manager and engineer, with the level of each of their tools.
LEVELED: dict[str, dict[str, str]] = {
    "reader": dict.fromkeys(PROJECT_TOOLS, "read_only"),
    "controller": {
        **dict.fromkeys(("commitments", "direct_costs", "change_events"), "admin"),
        **dict.fromkeys(("budget", "rfis", "submittals"), "read_only"),
    },
    "superintendent": {
        **dict.fromkeys(("rfis", "submittals", "observations", "punch_list"), "admin"),
        "change_events": "standard",
    },
}
NEIGHBOUR = Size(2, 8, 10, 8, 8, 4, 5, 3, 4, 3, 2, 3, 30, 12)


def build_world(clock: Clock, *, size: str, seed: int) -> World:
    """Three companies.

    The main one in the asked size, a small neighbour, and one without the app.
    """
    world = World(clock)
    rng = random.Random(seed)
    for name, shape in (
        ("Halden Bay Builders", SIZES[size]),
        ("Cormorant Civil", NEIGHBOUR),
        ("Quarry Lane Interiors", NEIGHBOUR),
    ):
        _Builder(world, rng, Company(world.new_id(), name, units=UNITS), shape).build()
    return world


class _Builder:
    """Builds one company, from its directory to the last contract of its last project."""

    def __init__(self, world: World, rng: random.Random, company: Company, size: Size) -> None:
        self.world, self.company, self.size = world, company, size
        self.chance = Chance(rng, world.clock.now())
        world.companies[company.id] = company

    def build(self) -> None:
        self._people()
        for number in range(self.size.vendors):
            self._vendor(number)
        for letter, name in COST_TYPES.items():
            self._cost_type(letter, name)
        for name, role, columns in BUDGET_VIEWS:
            view = BudgetView(self.world.new_id(), name, role, dict(columns))
            self.company.budget_views[view.id] = view
        people, vendors = list(self.company.users.values()), list(self.company.vendors.values())
        self.people, self.vendors = people, vendors
        self.records = Records(self.world, self.chance, people, vendors)
        self.costs = Costs(self.world, self.chance, people, vendors)
        for number in range(self.size.projects):
            self._project(number)
        first_two = set(list(self.company.projects)[:2])
        for person in self.world.people.values():
            if person.role == "engineer" and self.company.id in person.company_ids:
                person.project_ids = first_two
        withhold(self.company, self.world.people.values())

    def _people(self) -> None:
        everything = set(PROJECT_TOOLS)
        for role, name, tools, admin in (
            ("admin", "Company Admin", everything, True),
            ("manager", "Project Manager", everything, False),
            ("engineer", "Field Engineer", {"rfis", "submittals"}, False),
        ):
            user = self._user(name, f"{role}@{self._domain()}")
            person = Person(
                user["id"], user["email_address"], name, role, {self.company.id}, tools, admin
            )
            self.world.people[person.id] = person
        others = []
        for number in range(self.size.users - 3):
            title = ROLES[number % len(ROLES)]
            name = f"{title} {number + 1:02d}"
            others.append(self._user(name, f"user{number + 1}@{self._domain()}"))
        self._leveled(others)

    def _leveled(self, others: list[Record]) -> None:
        """Some of the directory can sign in as well: each tool has people of every level."""
        for user, (role, levels) in zip(others, LEVELED.items(), strict=False):
            person = Person(
                user["id"],
                user["email_address"],
                user["name"],
                role,
                {self.company.id},
                set(levels),
                edits_budget=False,
                levels=levels,
            )
            self.world.people[person.id] = person

    def _domain(self) -> str:
        return self.company.name.lower().replace(" ", "-") + ".example"

    def _user(self, name: str, email: str) -> Record:
        created = self.chance.moment(3, 900)
        first, _, last = name.rpartition(" ")
        user_id = self.world.new_id()
        template = {"id": 1, "name": "Standard", "project_specific": False, "type": "global"}
        record: Record = {
            "id": user_id,
            "name": name,
            "first_name": first,
            "last_name": last,
            "email_address": email,
            "job_title": first or name,
            "is_active": True,
            "is_employee": True,
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            "vendor": {"id": self.company.id, "name": self.company.name},
            "permission_template": template,
            "company_permission_template": {**template, "type": "company_tools"},
            **UNLISTED,
        }
        self.company.users[user_id] = record
        return record

    def _vendor(self, number: int) -> None:
        created = self.chance.moment(3, 900)
        trade = TRADES[number % len(TRADES)]
        name = f"{PLACES[number // len(TRADES) % len(PLACES)]} {trade} {number + 1}"
        vendor_id = self.world.new_id()
        self.company.vendors[vendor_id] = {
            "id": vendor_id,
            "name": name,
            "company": name,
            "legal_name": f"{name} LLC",
            "trade_name": trade,
            "is_active": number % 17 != 0,
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            "business_register": {"id": vendor_id},
            "primary_contact": {},
            "vendor_group": {"id": 1, "name": "Subcontractors"},
            "parent": {"id": vendor_id, "name": name},
            "standard_cost_codes": [],
            "bidding": dict.fromkeys(BUSINESS_KINDS, False),
            **UNLISTED,
        }

    def _cost_type(self, letter: str, name: str) -> None:
        key = self.world.new_id()
        base = BASE_TYPES.get(letter, "other")
        self.company.cost_types[key] = {"id": key, "code": letter, "name": name, "base_type": base}

    def _project(self, number: int) -> None:
        civil = number % 4 == 1
        titles = CIVIL_TITLES if civil else PROJECT_NAMES
        phase = f" Phase {number // len(titles) + 1}" if number >= len(titles) else ""
        name = titles[number % len(titles)] + phase
        created = self.chance.moment(120, 700)
        start = created.date()
        project_id = self.world.new_id()
        value = self.chance.money(4_000_000, 90_000_000)
        record: Record = {
            "id": project_id,
            "name": name,
            "display_name": f"{1001 + number} {name}",
            "project_number": str(1001 + number),
            "active": True,
            "company": {"id": self.company.id, "name": self.company.name},
            "city": "Fort Wayne" if civil else "Milwaukee",
            "state_code": "IN" if civil else "WI",
            "country_code": "US",
            "time_zone": "America/Indiana/Indianapolis" if civil else "US/Central",
            "start_date": start.isoformat(),
            "completion_date": (start + timedelta(days=900)).isoformat(),
            "total_value": str(value),
            "estimated_value": str(value),
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            "custom_fields": {},
            "project_stage": {"id": 1, "name": "Course of Construction"},
            "project_template": {},
            "is_demo": False,
            **UNLISTED,
        }
        project = Project(project_id, self.company.id, record)
        self.company.projects[project_id] = project
        self._wbs(project, civil=civil)
        self._budget(project, civil=civil)
        for index in range(self.size.rfis):
            _add(project.rfis, self.records.rfi(project, index))
        for index in range(self.size.submittals):
            _add(project.submittals, self.records.submittal(project, index))
        for index in range(self.size.change_events):
            _add(project.change_events, self.records.change_event(project, index))
        for index in range(self.size.commitments):
            if index % 3 == 2:
                order = self.records.purchase_order(project, index)
                self._contract(project, project.purchase_order_contracts, order, PURCHASE_ORDER)
            else:
                contract = self.records.subcontract(project, index)
                self._contract(project, project.work_order_contracts, contract, SUBCONTRACT)
        self._after_contracts(project)

    def _contract(
        self, project: Project, rows: dict[int, Record], contract: Record, kind: str
    ) -> None:
        _add(rows, contract)
        for line in self.costs.line_items(project, contract, kind):
            _add(project.commitment_line_items, line)

    def _after_contracts(self, project: Project) -> None:
        contracts = [
            *((row, SUBCONTRACT) for row in project.work_order_contracts.values()),
            *((row, PURCHASE_ORDER) for row in project.purchase_order_contracts.values()),
        ]
        for index in range(self.size.change_orders):
            contract, _ = contracts[index % len(contracts)]
            _add(project.change_orders, self.costs.change_order(project, contract, index))
        for contract, _ in contracts:
            self.costs.settle(project, contract)
        for index in range(self.size.requisitions):
            contract, kind = contracts[index % len(contracts)]
            _add(project.requisitions, self.costs.requisition(project, contract, kind, index))
        for index in range(self.size.direct_costs):
            cost = self.costs.direct_cost(project, index)
            _add(project.direct_costs, cost)
            for line in self.costs.direct_cost_lines(project, cost):
                _add(project.direct_cost_line_items, line)
        for index in range(self.size.observations):
            _add(project.observations, self.costs.observation(project, index))
        for index in range(self.size.punch_items):
            _add(project.punch_items, self.costs.punch_item(project, index))
        prime_contract = self.world.new_id()
        # A separate random generator, so that the other records stay the same.
        dice = Costs(
            self.world,
            Chance(random.Random(project.id), self.chance.now),
            self.people,
            self.vendors,
        )
        for index in range(2):
            _add(
                project.potential_change_orders, dice.potential_change_order(prime_contract, index)
            )
        link_some(project)
        if len(self.company.projects) % EVERY == 0:
            to_three_tiers(self.world, project)

    def _wbs(self, project: Project, *, civil: bool) -> None:
        source = CIVIL_SECTIONS if civil else COST_CODES
        pairs = [(code, kind) for kind in COST_TYPES.items() for code in source.items()]
        wanted = max(self.size.wbs_codes, len(source) + 1) if civil else self.size.wbs_codes
        # A retired code that takes no budget; every company has some.
        retired = ("00-000", "Retired code")
        pairs = [*pairs[: wanted - 1], (retired, ("S", COST_TYPES["S"]))]
        numbers = {code: number for number, code in enumerate((*source, retired[0]), 1)}
        for (code, title), (letter, kind) in pairs:
            wbs_id = self.world.new_id()
            created = self.chance.moment(3, 600)
            project.wbs_codes[wbs_id] = {
                "id": wbs_id,
                "flat_code": f"{code}.{letter}",
                "flat_name": f"{title}.{kind}",
                "description": f"{title} – {kind}",
                "status": "inactive" if code == retired[0] else "active",
                "created_at": stamp(created),
                "updated_at": stamp(self.chance.after(created)),
                "wbs_pattern_id": 1,
                "segment_items": [
                    _segment_item(numbers[code], code, title, "Cost Code", 1),
                    _segment_item(9000 + ord(letter), letter, kind, "Cost Type", 2),
                ],
                **UNLISTED,
            }

    def _budget(self, project: Project, *, civil: bool) -> None:
        codes = [code for code in project.wbs_codes.values() if code["status"] == "active"]
        # Road jobs start without a budget on most codes: an estimate brings it.
        for code in codes[: 3 if civil else self.size.budget_rows]:
            line_id = self.world.new_id()
            project.budget_line_items[line_id] = {
                "id": line_id,
                "wbs_code_id": code["id"],
                "original_budget_amount": self.chance.money(8_000, 900_000),
                "calculation_strategy": "manual",
                "budget_modifications": self.chance.sometimes(0.2, -20_000, 40_000),
                "deletable": self.chance.rng.random() < 0.6,
            }
        for code in codes[-2:]:
            project.unbudgeted[code["id"]] = self.world.new_id()


def _add(rows: dict[int, Record], record: Record) -> None:
    rows[record["id"]] = record


def _segment_item(item_id: int, code: str, name: str, segment: str, position: int) -> Record:
    return {
        "id": item_id,
        "code": code,
        "name": name,
        "is_parent": False,
        "status": "active",
        "segment": {
            "id": position,
            "name": segment,
            "type": segment.lower().replace(" ", "_"),
            "position": position,
            "delimiter": ".",
            "required": True,
            "segment_items_count": 1,
            "project_can_modify_origin_project": True,
            "project_can_delete_origin_company": False,
            "structure": "tiered" if position == 1 else "flat",
        },
    }
