"""What exists in the simulated Procore: companies, people, rights, installs and records."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.clock import Clock, stamp
from simulator.rights import Grants, ServiceAccount

Record = dict[str, Any]

# Names as `GET /rest/v1.0/settings/permissions` gives them.
PROJECT_TOOLS = (
    "rfis", "submittals", "change_events", "commitments", "budget",
    "direct_costs", "observations", "punch_list",
)  # fmt: skip
FIRST_ID = 4_300_000_001  # above 2^32, so that a 32-bit column fails at once


@dataclass
class Person:
    """A directory user. `tools` holds the project tools they may read.

    `levels` gives the level of some tools; the default is standard, and admin for an admin.
    """

    id: int
    login: str
    name: str
    role: str
    company_ids: set[int]
    tools: set[str]
    admin: bool = False
    edits_budget: bool = True  # if they have the budget at all
    project_ids: set[int] | None = None  # None: all projects of their companies
    levels: dict[str, str] = field(default_factory=dict)

    def level(self, tool: str) -> str:
        """The level of a tool on a project."""
        if self.admin:
            return "admin"
        return self.levels.get(tool, "standard") if tool in self.tools else "none"


@dataclass
class Installation:
    """The app at one company, with its service account and the projects an administrator picked."""

    company_id: int
    installed_at: datetime
    permitted_projects: set[int]
    version: str = "1.0.0"
    service_account: bool = True  # False: only people's own authorisations reach the company
    account: ServiceAccount = field(default_factory=ServiceAccount)
    uninstalled_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.uninstalled_at is None


@dataclass
class BudgetView:
    """A company's view; `columns` maps a column's name in the rows to what it holds."""

    id: int
    name: str
    role: str
    columns: dict[str, str]


@dataclass
class Project:
    """A project's lists; each maps an id to the record exactly as the API shows it."""

    id: int
    company_id: int
    record: Record
    rfis: dict[int, Record] = field(default_factory=dict)
    submittals: dict[int, Record] = field(default_factory=dict)
    change_events: dict[int, Record] = field(default_factory=dict)
    work_order_contracts: dict[int, Record] = field(default_factory=dict)
    purchase_order_contracts: dict[int, Record] = field(default_factory=dict)
    commitment_line_items: dict[int, Record] = field(default_factory=dict)
    change_orders: dict[int, Record] = field(default_factory=dict)
    potential_change_orders: dict[int, Record] = field(default_factory=dict)
    change_order_packages: dict[int, Record] = field(default_factory=dict)
    # By line of a change event: the parts of its v1.0 form that locate its cost.
    event_links: dict[int, Record] = field(default_factory=dict)
    direct_costs: dict[int, Record] = field(default_factory=dict)
    direct_cost_line_items: dict[int, Record] = field(default_factory=dict)
    requisitions: dict[int, Record] = field(default_factory=dict)
    observations: dict[int, Record] = field(default_factory=dict)
    punch_items: dict[int, Record] = field(default_factory=dict)
    wbs_codes: dict[int, Record] = field(default_factory=dict)
    budget_line_items: dict[int, Record] = field(default_factory=dict)
    made_codes: set[int] = field(default_factory=set)
    unbudgeted: dict[int, int] = field(default_factory=dict)  # WBS code with costs → its row's id
    hidden_views: set[int] = field(default_factory=set)  # budget views that it does not have
    budget_locked: bool = False
    change_order_tiers: int = 1  # with 3, orders are packages, and there are no change orders

    def contract(self, contract_id: int) -> Record:
        """The contract of either kind."""
        orders = self.purchase_order_contracts
        return (
            orders[contract_id] if contract_id in orders else self.work_order_contracts[contract_id]
        )


@dataclass
class Company:
    id: int
    name: str
    projects: dict[int, Project] = field(default_factory=dict)
    users: dict[int, Record] = field(default_factory=dict)
    vendors: dict[int, Record] = field(default_factory=dict)
    cost_types: dict[int, Record] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    budget_views: dict[int, BudgetView] = field(default_factory=dict)


class World:
    """Everything behind the API. One process holds it; nothing is written to disk."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.companies: dict[int, Company] = {}
        self.people: dict[int, Person] = {}
        self.installations: dict[int, Installation] = {}
        self._ids = FIRST_ID

    def new_id(self) -> int:
        self._ids += 1
        return self._ids

    def touch(self, record: Record) -> None:
        """Updates `updated_at`, as every change in Procore does."""
        record["updated_at"] = stamp(self.clock.now())

    def project(self, project_id: int) -> Project | None:
        for company in self.companies.values():
            if project_id in company.projects:
                return company.projects[project_id]
        return None

    def installed_at(self, company_id: int) -> Installation | None:
        installation = self.installations.get(company_id)
        return installation if installation and installation.active else None

    def install(
        self, company_id: int, permitted_projects: set[int], *, service_account: bool = True
    ) -> Installation:
        living = self.installed_at(company_id)
        installation = Installation(
            company_id,
            self.clock.now(),
            permitted_projects,
            service_account=service_account,
            account=living.account if living else ServiceAccount(),
        )
        installation.account.join(permitted_projects)
        self.installations[company_id] = installation
        return installation

    def update(self, company_id: int, version: str) -> None:
        """A new version of the app clears the permitted projects, which must be selected again.

        It brings its own manifest; the service account's permission template stays unchanged.
        """
        installation = self.installed_at(company_id)
        if installation:
            installation.version = version
            installation.permitted_projects = set()
            installation.account.manifest = Grants()

    def uninstall(self, company_id: int) -> None:
        installation = self.installed_at(company_id)
        if installation:
            installation.uninstalled_at = self.clock.now()

    def all_projects(self) -> Iterator[Project]:
        for company in self.companies.values():
            yield from company.projects.values()
