"""Fills a world with believable building: the same seed and size give the same records."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from simulator.catalogue import (
    CHANGE_REASONS,
    CIVIL_SECTIONS,
    CIVIL_TITLES,
    COST_CODES,
    COST_TYPES,
    MULTILINGUAL,
    PROJECT_NAMES,
    RFI_SUBJECTS,
    ROLES,
    SUBMITTAL_TITLES,
    TRADES,
    UNITS,
)
from simulator.clock import Clock, stamp
from simulator.world import PROJECT_TOOLS, Company, Person, Project, Record, World


@dataclass(frozen=True)
class Size:
    """How many of each a company gets; the last six are for each project."""

    projects: int
    users: int
    vendors: int
    rfis: int
    submittals: int
    change_events: int
    commitments: int
    wbs_codes: int
    budget_rows: int


SIZES = {
    "S": Size(4, 22, 30, 25, 25, 10, 12, 40, 26),  # about 600 records
    "M": Size(25, 300, 700, 160, 170, 60, 70, 180, 120),  # about 20,000
    "L": Size(200, 800, 1400, 220, 230, 90, 90, 210, 150),  # about 200,000
}
NEIGHBOUR = Size(2, 8, 10, 8, 8, 4, 5, 30, 12)


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
    def __init__(self, world: World, rng: random.Random, company: Company, size: Size) -> None:
        self.world, self.rng, self.company, self.size = world, rng, company, size
        self.now = world.clock.now()
        self.today = self.now.date()
        world.companies[company.id] = company

    def build(self) -> None:
        self._people()
        for number in range(self.size.vendors):
            self._vendor(number)
        self.users = list(self.company.users.values())
        self.vendors = list(self.company.vendors.values())
        for number in range(self.size.projects):
            self._project(number)
        first_two = set(list(self.company.projects)[:2])
        for person in self.world.people.values():
            if person.role == "engineer" and self.company.id in person.company_ids:
                person.project_ids = first_two

    # People ------------------------------------------------------------------------------

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
        for number in range(self.size.users - 3):
            title = ROLES[number % len(ROLES)]
            self._user(f"{title} {number + 1:02d}", f"user{number + 1}@{self._domain()}")

    def _domain(self) -> str:
        return self.company.name.lower().replace(" ", "-") + ".example"

    def _user(self, name: str, email: str) -> Record:
        created, updated = self._times(900)
        first, _, last = name.rpartition(" ")
        user_id = self.world.new_id()
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
            "updated_at": stamp(updated),
            "vendor": None,
            "permission_template": None,
            "company_permission_template": None,
            "x_unlisted": "kept by nobody",
        }
        self.company.users[user_id] = record
        return record

    def _vendor(self, number: int) -> None:
        created, updated = self._times(900)
        trade = TRADES[number % len(TRADES)]
        place = ("North", "Harbor", "Summit", "Prairie", "Lakeside", "Union")[
            number // len(TRADES) % 6
        ]
        name = f"{place} {trade} {number + 1}"
        vendor_id = self.world.new_id()
        self.company.vendors[vendor_id] = {
            "id": vendor_id,
            "name": name,
            "company": name,
            "legal_name": f"{name} LLC",
            "trade_name": trade,
            "is_active": number % 17 != 0,
            "created_at": stamp(created),
            "updated_at": stamp(updated),
            "business_register": None,
            "primary_contact": None,
            "vendor_group": None,
            "parent": None,
            "standard_cost_codes": [],
            "bidding": None,
        }

    # Projects ----------------------------------------------------------------------------

    def _project(self, number: int) -> None:
        civil = number % 4 == 1
        titles = CIVIL_TITLES if civil else PROJECT_NAMES
        phase = f" Phase {number // len(titles) + 1}" if number >= len(titles) else ""
        name = titles[number % len(titles)] + phase
        created, updated = self._times(700)
        start = created.date()
        project_id = self.world.new_id()
        value = self._money(4_000_000, 90_000_000)
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
            "updated_at": stamp(updated),
            "custom_fields": {},
            "project_stage": {"id": 1, "name": "Course of Construction"},
            "project_template": None,
            "is_demo": False,
        }
        project = Project(project_id, self.company.id, record, budget_view_id=self.world.new_id())
        self.company.projects[project_id] = project
        self._wbs(project, civil=civil)
        self._budget(project)
        for index in range(self.size.rfis):
            self._rfi(project, index)
        for index in range(self.size.submittals):
            self._submittal(project, index)
        for index in range(self.size.change_events):
            self._change_event(project, index)
        for index in range(self.size.commitments):
            self._commitment(project, index)

    def _wbs(self, project: Project, *, civil: bool) -> None:
        source = CIVIL_SECTIONS if civil else COST_CODES
        pairs = [(code, kind) for kind in COST_TYPES.items() for code in source.items()]
        wanted = max(self.size.wbs_codes, len(source) + 1) if civil else self.size.wbs_codes
        # One that no longer takes a budget, as every company has.
        retired = ("00-000", "Retired code")
        pairs = [*pairs[: wanted - 1], (retired, ("S", COST_TYPES["S"]))]
        for index, ((code, title), (letter, kind)) in enumerate(pairs):
            wbs_id = self.world.new_id()
            created, updated = self._times(600)
            project.wbs_codes[wbs_id] = {
                "id": wbs_id,
                "flat_code": f"{code}.{letter}",
                "flat_name": f"{title}.{kind}",
                "description": f"{title} – {kind}",
                "status": "inactive" if code == retired[0] else "active",
                "created_at": stamp(created),
                "updated_at": stamp(updated),
                "wbs_pattern_id": 1,
                "segment_items": [
                    {"id": index + 1, "code": code, "name": title},
                    {"id": 9000 + ord(letter), "code": letter, "name": kind},
                ],
            }

    def _budget(self, project: Project) -> None:
        codes = [code for code in project.wbs_codes.values() if code["status"] == "active"]
        # Road jobs start without a budget on most codes: theirs arrives as an estimate.
        rows = self.size.budget_rows if project.record["state_code"] != "IN" else 3
        for code in codes[:rows]:
            line_id = self.world.new_id()
            amount = self._money(8_000, 900_000)
            project.budget_line_items[line_id] = {
                "id": line_id,
                "wbs_code_id": code["id"],
                "original_budget_amount": amount,
                "uom": None,
                "quantity": None,
                "unit_cost": None,
                "calculation_strategy": "manual",
                "budget_modifications": self._money(-20_000, 40_000)
                if self.rng.random() < 0.2
                else Decimal("0.00"),
                "deletable": self.rng.random() < 0.6,
            }

    def _rfi(self, project: Project, index: int) -> None:
        created, updated = self._times(200)
        status = self.rng.choices(["open", "closed", "draft"], [5, 6, 1])[0]
        due = created.date() + timedelta(days=self.rng.randint(5, 60))
        value = self.rng.choice([0, 1200, 4800, 15000, 64000])
        impact: Record = (
            {"status": "yes_known", "value": value}
            if value and self.rng.random() < 0.4
            else {"status": self.rng.choice(["yes_unknown", "no_impact", "tbd"]), "value": None}
        )
        rfi_id = self.world.new_id()
        subject = RFI_SUBJECTS[self.rng.randrange(len(RFI_SUBJECTS))]
        if index % 19 == 7:
            subject = MULTILINGUAL[index % len(MULTILINGUAL)]
        project.rfis[rfi_id] = {
            "id": rfi_id,
            "number": str(index + 1),
            "full_number": str(index + 1),
            "subject": subject,
            "status": status,
            "translated_status": status.title(),
            "private": False,
            "deleted": False,
            "deleted_at": None,
            "initiated_at": stamp(created),
            "due_date": due.isoformat() if status != "draft" else None,
            "time_resolved": stamp(self._before_now(created)) if status == "closed" else None,
            "cost_impact": impact,
            "schedule_impact": {"status": "no_impact", "value": None},
            "ball_in_court": self._person() if status == "open" else None,
            "ball_in_courts": [],
            "assignee": self._person(),
            "assignees": [],
            "rfi_manager": self._person(),
            "received_from": self._person(),
            "responsible_contractor": self._vendor_ref(),
            "created_by": self._person(),
            "created_at": stamp(created),
            "updated_at": stamp(updated),
            "cost_code": None,
            "location": None,
            "project_stage": None,
            "sub_job": None,
            "custom_fields": {},
            "questions": [],
            "link": f"/{project.id}/project/rfi/show/{rfi_id}",
        }

    def _submittal(self, project: Project, index: int) -> None:
        created, updated = self._times(240)
        status = self.rng.choices(["Draft", "Open", "Closed"], [1, 4, 5])[0]
        due = created.date() + timedelta(days=self.rng.randint(10, 80))
        submittal_id = self.world.new_id()
        title = SUBMITTAL_TITLES[self.rng.randrange(len(SUBMITTAL_TITLES))]
        project.submittals[submittal_id] = {
            "id": submittal_id,
            "number": str(index + 1),
            "formatted_number": f"{index + 1:03d}",
            "revision": "0",
            "current_revision": True,
            "title": title,
            "description": None,
            "status": {
                "id": ("Draft", "Open", "Closed").index(status) + 1,
                "name": status,
                "status": status,
            },
            "type": {"id": 1, "name": "Shop Drawing"},
            "due_date": due.isoformat(),
            "submit_by": (due - timedelta(days=14)).isoformat(),
            "issue_date": None,
            "received_date": None,
            "distributed_at": None,
            "private": False,
            "ball_in_court": [],
            "responsible_contractor": self._vendor_ref(),
            "received_from": self._person(),
            "submittal_manager": self._person(),
            "created_by": self._person(),
            "created_at": stamp(created),
            "updated_at": stamp(updated),
            "approvers": [],
            "associated_attachments": [],
            "cost_code_id": None,
            "distribution_members": [],
            "drawing_ids": [],
            "linked_drawing_ids": [],
            "last_distributed_submittal": None,
            "location_id": None,
            "specification_section": None,
            "sub_job_id": None,
            "submittal_package": None,
            "custom_fields": {},
        }

    def _change_event(self, project: Project, index: int) -> None:
        created, updated = self._times(260)
        event_id = self.world.new_id()
        status = self.rng.choices(["Open", "Pending", "Closed"], [5, 2, 4])[0]
        reason = CHANGE_REASONS[self.rng.randrange(len(CHANGE_REASONS))]
        items = []
        for _ in range(self.rng.randint(1, 3)):
            amount = str(self._money(900, 70_000))
            items.append(
                {
                    "id": self.world.new_id(),
                    "event_id": event_id,
                    "latest_cost_values": {"amount": amount, "source": "rom"},
                    "latest_revenue_values": {"amount": amount, "source": "rom"},
                }
            )
        project.change_events[event_id] = {
            "id": event_id,
            "number": f"{index + 1:03d}",
            "title": reason
            + " at "
            + self.rng.choice(["grid B4", "level 2", "east entry", "roof"]),
            "description": None,
            "scope": self.rng.choice(["in_scope", "out_of_scope", "tbd"]),
            "status": {"id": 1, "name": status, "mapped_to_status": status},
            "change_type": {"id": 1, "name": "Owner Change", "abbreviation": "OC"},
            "change_reason": {"id": 1, "change_reason": reason},
            "project_id": project.id,
            "company_id": project.company_id,
            "currency_configuration": {"currency_iso_code": "USD"},
            "change_items": items,
            "created_by": self._person(),
            "created_at": stamp(created),
            "updated_at": stamp(updated),
            "deleted_at": None,
            "in_recycle_bin": False,
        }

    def _commitment(self, project: Project, index: int) -> None:
        created, updated = self._times(400)
        contract_id = self.world.new_id()
        order = index % 3 == 2
        status = self.rng.choice(
            ["Approved", "Approved", "Processing", "Draft", "Closed"]
            if order
            else ["Approved", "Approved", "Complete", "Draft", "Out For Signature"]
        )
        total = self._money(15_000, 1_400_000)
        changes = self._money(0, 60_000) if self.rng.random() < 0.4 else Decimal("0.00")
        pending = self._money(0, 30_000) if self.rng.random() < 0.3 else Decimal("0.00")
        vendor = self.rng.choice(self.vendors)
        record: Record = {
            "id": contract_id,
            "number": f"{'PO' if order else 'SC'}-{1001 + index}",
            "title": str(vendor["trade_name"]) + (" materials" if order else " subcontract"),
            "status": status,
            "executed": status in {"Approved", "Complete", "Closed"},
            "private": False,
            "vendor": {"id": vendor["id"], "company": vendor["name"]},
            "project": {"id": project.id, "name": project.record["name"]},
            "grand_total": str(total),
            "approved_change_orders": str(changes),
            "pending_change_orders": str(pending),
            "draft_change_orders_amount": "0.00",
            "revised_contract": str(total + changes),
            "pending_revised_contract": str(total + changes + pending),
            "total_payments": "0.00",
            "accounting_method": "amount",
            "currency_configuration": {"currency_iso_code": "USD"},
            "created_at": stamp(created),
            "updated_at": stamp(updated),
            "deleted_at": None,
        }
        if order:
            record["assignee"] = None
            project.purchase_order_contracts[contract_id] = record
        else:
            project.work_order_contracts[contract_id] = record

    # Small things ------------------------------------------------------------------------

    def _times(self, days: int) -> tuple[datetime, datetime]:
        created = self.now - timedelta(seconds=self.rng.randint(3 * 86400, days * 86400))
        return created, self._before_now(created)

    def _before_now(self, created: datetime) -> datetime:
        span = (self.now - created).total_seconds() - 600
        return created + timedelta(seconds=self.rng.uniform(0, span))

    def _money(self, low: int, high: int) -> Decimal:
        cents = Decimal(self.rng.randint(low * 100, high * 100)) / 100
        return cents.quantize(Decimal("0.01"), ROUND_HALF_UP)

    def _person(self) -> Record:
        user = self.rng.choice(self.users)
        return {"id": user["id"], "name": user["name"], "login": user["email_address"]}

    def _vendor_ref(self) -> Record:
        vendor = self.rng.choice(self.vendors)
        return {"id": vendor["id"], "name": vendor["name"]}
