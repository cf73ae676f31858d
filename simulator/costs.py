"""What belongs to contracts and the job site: lines, change orders, costs, invoices, observations.

Each as the API shows it; see records.py for what it leaves out.
"""

from datetime import timedelta
from decimal import Decimal

from simulator.catalogue import CHANGE_PLACES, CHANGE_REASONS, OBSERVATIONS, PUNCH_ITEMS
from simulator.chance import Chance
from simulator.clock import stamp
from simulator.links import orders_of
from simulator.records import UNLISTED
from simulator.world import Project, Record, World

CURRENCY: Record = {"currency_iso_code": "USD"}
PENDING_STATUSES = ("draft", "pending", "revised", "proceeding")


class Costs:
    """Generates the records that refer to a project's contracts and WBS codes."""

    def __init__(
        self, world: World, chance: Chance, users: list[Record], vendors: list[Record]
    ) -> None:
        self.world, self.chance, self.users, self.vendors = world, chance, users, vendors

    def line_items(self, project: Project, contract: Record, kind: str) -> list[Record]:
        """Two or three lines that add up to the contract's total."""
        count = self.chance.rng.randint(2, 3)
        total = Decimal(contract["grand_total"])
        part = (total / count).quantize(Decimal("0.01"))
        amounts = [part] * (count - 1)
        amounts.append(total - sum(amounts, Decimal(0)))
        return [
            self._line(project, contract, kind, position, amount)
            for position, amount in enumerate(amounts, 1)
        ]

    def _line(
        self, project: Project, contract: Record, kind: str, position: int, amount: Decimal
    ) -> Record:
        return {
            **self._money_line(project, contract, kind, position, amount),
            "company": {"id": project.company_id, "name": contract["vendor"]["company"]},
            "change_event_line_item": {},
        }

    def _money_line(
        self, project: Project, holder: Record, kind: str, position: int, amount: Decimal
    ) -> Record:
        """What lines of contracts and of direct costs have in common."""
        wbs = self.chance.one_of([c for c in project.wbs_codes.values() if c["status"] == "active"])
        code, cost_type = wbs["segment_items"]
        return {
            "id": self.world.new_id(),
            "amount": str(amount),
            "total_amount": str(amount),
            "extended_amount": str(amount),
            "extended_type": "manual",
            "description": code["name"],
            "position": position,
            "quantity": "1.0",
            "unit_cost": str(amount),
            "uom": "ls",
            "project": {"id": project.id, "name": project.record["name"]},
            "holder": {"id": holder["id"], "holder_type": kind},
            "cost_code": {"id": code["id"], "name": code["name"], "full_code": code["code"]},
            "line_item_type": {"id": cost_type["id"], "name": cost_type["name"]},
            "wbs_code": {key: wbs[key] for key in ("id", "flat_code", "description")},
            "currency_configuration": CURRENCY,
            "created_at": holder["created_at"],
            "updated_at": holder["updated_at"],
            **UNLISTED,
        }

    def change_order(self, _project: Project, contract: Record, index: int) -> Record:
        created = self.chance.moment(1, 200)
        statuses = ["approved", "approved", *PENDING_STATUSES]
        person = self._person()
        reason = self.chance.one_of(CHANGE_REASONS)
        return {
            "id": self.world.new_id(),
            "contract_id": contract["id"],
            "number": f"{index + 1:03d}",
            "revision": 0,
            "title": f"{reason} {self.chance.one_of(CHANGE_PLACES)}",
            "description": "",
            "status": self.chance.one_of(statuses),
            "type": "CommitmentChangeOrder",
            "grand_total": str(self.chance.money(500, 60_000)),
            "executed": False,
            "paid": False,
            "private": False,
            "field_change": False,
            "signature_required": False,
            "created_by": person,
            "designated_reviewer": person,
            "received_from": person,
            "reviewed_by": person,
            "change_order_change_reason": {"id": 1, "change_reason": reason},
            "custom_fields": {},
            "currency_configuration": CURRENCY,
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            **UNLISTED,
        }

    def potential_change_order(self, contract_id: int, index: int) -> Record:
        """Of a prime contract, and in no package yet."""
        created = self.chance.moment(1, 200)
        return {
            "id": self.world.new_id(),
            "contract_id": contract_id,
            "number": f"{index + 1:03d}",
            "revision": 0,
            "title": f"{self.chance.one_of(CHANGE_REASONS)} {self.chance.one_of(CHANGE_PLACES)}",
            "status": self.chance.one_of(["draft", "pending", "pricing", "approved"]),
            "change_reason": self.chance.one_of(CHANGE_REASONS),
            "change_order_tiers": 2,
            "created_by_id": self._person()["id"],
            "executed": False,
            "grand_total": str(self.chance.money(500, 60_000)),
            "schedule_impact_amount": 0,
            "currency_configuration": CURRENCY,
            "custom_fields": {},
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            **UNLISTED,
        }

    @staticmethod
    def settle(project: Project, contract: Record) -> None:
        """Sets a contract's totals from its change orders, as Procore does."""
        sums = dict.fromkeys(("approved", "draft", "pending"), Decimal("0.00"))
        for order in orders_of(project, contract["id"]):
            status = order["status"]
            kind = status if status in sums else "pending"
            if kind == "approved" and order["id"] in project.potential_change_orders:
                kind = "pending"  # until a package holds it
            sums[kind] += Decimal(order["grand_total"])
        total = Decimal(contract["grand_total"])
        revised = total + sums["approved"]
        contract |= {
            "approved_change_orders": str(sums["approved"]),
            "draft_change_orders_amount": str(sums["draft"]),
            "pending_change_orders": str(sums["pending"]),
            "revised_contract": str(revised),
            "pending_revised_contract": str(revised + sums["pending"]),
        }

    def direct_cost(self, _project: Project, index: int) -> Record:
        created = self.chance.moment(1, 300)
        vendor = self.chance.one_of(self.vendors)
        amount = str(self.chance.money(200, 25_000))
        return {
            "id": self.world.new_id(),
            "amount": amount,
            "grand_total": amount,
            "description": f"{vendor['trade_name']} expense",
            "direct_cost_type": self.chance.one_of(["invoice", "expense", "payroll"]),
            "direct_cost_date": created.date().isoformat(),
            "invoice_number": f"INV-{5001 + index}",
            "status": self.chance.one_of(["draft", "pending", "approved", "approved", "approved"]),
            "terms": "",
            "vendor_id": vendor["id"],
            "vendor_name": vendor["name"],
            "employee": {},
            "currency_configuration": {**CURRENCY, "base_currency_iso_code": "USD"},
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            **UNLISTED,
        }

    def direct_cost_lines(self, project: Project, cost: Record) -> list[Record]:
        """One or two lines that add up to the cost."""
        total = Decimal(cost["amount"])
        first = total
        if self.chance.rng.random() < 0.4:
            first = (total / 3).quantize(Decimal("0.01"))
        amounts = [amount for amount in (first, total - first) if amount]
        return [
            self._money_line(project, cost, "DirectCost::Item", position, amount)
            for position, amount in enumerate(amounts, 1)
        ]

    def requisition(self, project: Project, contract: Record, kind: str, index: int) -> Record:
        """A subcontractor invoice; now and then one bills more than the contract is worth."""
        created = self.chance.moment(1, 120)
        contract_sum = Decimal(contract["revised_contract"])
        share = self.chance.one_of([Decimal("0.2"), Decimal("0.35"), Decimal("0.6")])
        if index % 23 == 11:
            share = Decimal("1.04")
        claimed = (contract_sum * share).quantize(Decimal("0.01"))
        return {
            "id": self.world.new_id(),
            "project_id": project.id,
            "commitment_id": contract["id"],
            "commitment_type": kind,
            "contract_name": contract["title"],
            "vendor_id": contract["vendor"]["id"],
            "vendor_name": contract["vendor"]["company"],
            "invoice_number": f"{contract['number']}-{index + 1}",
            "invoice_type": "progress",
            "number": 1,
            "status": self.chance.one_of(["draft", "under_review", "approved", "approved"]),
            "billing_date": created.date().isoformat(),
            "requisition_start": (created.date() - timedelta(days=30)).isoformat(),
            "requisition_end": created.date().isoformat(),
            "percent_complete": str(share * 100),
            "total_claimed_amount": str(claimed),
            "deletable": True,
            "final": False,
            "summary_text": {"project_name": project.record["name"]},
            "summary": {
                "contract_sum_to_date": str(contract_sum),
                "total_completed_and_stored_to_date": str(claimed),
                "current_payment_due": str(claimed),
            },
            "created_by": self._person(),
            "custom_fields": {},
            "currency_configuration": {**CURRENCY, "base_currency_iso_code": "USD"},
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            **UNLISTED,
        }

    def observation(self, _project: Project, index: int) -> Record:
        created = self.chance.moment(1, 150)
        return {
            "id": self.world.new_id(),
            "number": str(index + 1),
            "name": self.chance.one_of(OBSERVATIONS),
            "description": "",
            "status": self.chance.one_of(["initiated", "ready_for_review", "closed", "closed"]),
            "priority": self.chance.one_of(["Low", "Medium", "High", "Urgent"]),
            "due_date": (created.date() + timedelta(days=14)).isoformat(),
            "personal": False,
            "origin": {"type": "inspection", "payload": {}},
            "assignee": {**self._person(), "vendor": {}},
            "created_by": self._person(),
            "location": {},
            "specification_section": {},
            "trade": {},
            "type": {"id": 1, "category": "Quality", "name": "Quality"} | {"name_translations": {}},
            "custom_fields": {},
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            **UNLISTED,
        }

    def punch_item(self, _project: Project, index: int) -> Record:
        created = self.chance.moment(1, 100)
        manager = {**self._person(), "locale": "en"}
        record: Record = {
            "id": self.world.new_id(),
            "position": index + 1,
            "name": self.chance.one_of(PUNCH_ITEMS),
            "description": "",
            "status": self.chance.one_of(["Open", "Open", "Closed"]),
            "workflow_status": "work_required",
            "priority": "medium",
            "private": False,
            "due_date": (created.date() + timedelta(days=10)).isoformat(),
            "cost_impact": "n_a",
            "schedule_impact": "n_a",
            "ball_in_court": [],
            "assignees": [],
            "assignments": [],
            "created_by": self._person(),
            "punch_item_manager": manager,
            "final_approver": manager,
            "punch_item_type": {},
            "cost_code": {},
            "location": {},
            "trade": {},
            "custom_fields": {},
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            **UNLISTED,
        }
        if index % 9 == 4:
            record |= {"cost_impact": "yes_known", "cost_impact_amount": "850.00"}
        return record

    def _person(self) -> Record:
        user = self.chance.one_of(self.users)
        return {"id": user["id"], "name": user["name"], "login": user["email_address"]}
