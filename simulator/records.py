"""One RFI, submittal, change event or contract at a time, exactly as the API shows it.

Procore's description knows no null: an absent value is left out. `x_unlisted` represents the
fields that Procore adds without notice, and carries a null.
"""

from datetime import timedelta

from simulator.catalogue import (
    CHANGE_PLACES,
    CHANGE_REASONS,
    MULTILINGUAL,
    RFI_SUBJECTS,
    SUBMITTAL_TITLES,
)
from simulator.chance import Chance
from simulator.clock import stamp
from simulator.world import Project, Record, World

UNLISTED: Record = {"x_unlisted": {"note": None}}


class Records:
    """Generates the records of one company's projects."""

    def __init__(
        self, world: World, chance: Chance, users: list[Record], vendors: list[Record]
    ) -> None:
        self.world, self.chance, self.users, self.vendors = world, chance, users, vendors

    def rfi(self, project: Project, index: int) -> Record:
        rng = self.chance.rng
        status = rng.choices(["open", "closed", "draft"], [5, 6, 1])[0]
        # Open questions are recent; a few have been open for months.
        oldest = 28 if status == "open" and rng.random() < 0.85 else 220
        created = self.chance.moment(0.5, oldest)
        due = created.date() + timedelta(days=rng.choice([7, 10, 14, 14, 21]))
        value = rng.choice([0, 1200, 4800, 15000, 64000])
        impact: Record = {"status": rng.choice(["yes_unknown", "no_impact", "tbd"])}
        if value and rng.random() < 0.4:
            impact = {"status": "yes_known", "value": value}
        subject = RFI_SUBJECTS[rng.randrange(len(RFI_SUBJECTS))]
        if index % 19 == 7:
            subject = MULTILINGUAL[index % len(MULTILINGUAL)]
        rfi_id = self.world.new_id()
        court = self._person()
        record: Record = {
            "id": rfi_id,
            "number": str(index + 1),
            "full_number": str(index + 1),
            "subject": subject,
            "status": status,
            "translated_status": status.title(),
            "private": False,
            "deleted": False,
            "initiated_at": stamp(created),
            "cost_impact": impact,
            "schedule_impact": {"status": "no_impact"},
            "ball_in_court": court,
            "ball_in_courts": [court],
            "assignee": self._person(),
            "assignees": [],
            "rfi_manager": self._person(),
            "received_from": self._person(),
            "responsible_contractor": self._vendor(),
            "created_by": self._person(),
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            "cost_code": {},
            "location": {},
            "project_stage": {"id": 1, "name": "Course of Construction"},
            "sub_job": {},
            "custom_fields": {},
            "questions": [],
            "link": f"/{project.id}/project/rfi/show/{rfi_id}",
            **UNLISTED,
        }
        if status != "draft":
            record["due_date"] = due.isoformat()
        if status == "closed":
            record["time_resolved"] = stamp(self.chance.after(created))
        return record

    def submittal(self, _project: Project, index: int) -> Record:
        rng = self.chance.rng
        status = rng.choices(["Draft", "Open", "Closed"], [1, 4, 5])[0]
        oldest = 40 if status == "Open" and rng.random() < 0.85 else 260
        created = self.chance.moment(1, oldest)
        due = created.date() + timedelta(days=rng.randint(21, 45))
        submit_by = due - timedelta(days=14)
        person = self._person()
        return {
            "id": self.world.new_id(),
            "number": str(index + 1),
            "formatted_number": f"{index + 1:03d}",
            "revision": "0",
            "current_revision": True,
            "title": SUBMITTAL_TITLES[rng.randrange(len(SUBMITTAL_TITLES))],
            "description": "",
            "status": {
                "id": ("Draft", "Open", "Closed").index(status) + 1,
                "name": status,
                "status": status,
            },
            "type": {"id": 1, "name": "Shop Drawing"},
            "due_date": due.isoformat(),
            "submit_by": submit_by.isoformat(),
            "issue_date": created.date().isoformat(),
            "received_date": created.date().isoformat(),
            "distributed_at": stamp(created),
            "private": False,
            "ball_in_court": [],
            "responsible_contractor": self._vendor(),
            "received_from": person,
            "submittal_manager": self._person(),
            "created_by": self._person(),
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            "approvers": [],
            "associated_attachments": [],
            "cost_code_id": 0,
            "distribution_members": [],
            "drawing_ids": [],
            "linked_drawing_ids": [],
            "last_distributed_submittal": {
                "id": 0,
                "distributed_attachments": [],
                "distributed_responses": [],
                "distributed_by": person,
                "distributed_to": [],
                "message": "",
                "sent_at": stamp(created),
            },
            "location_id": 0,
            "specification_section": {},
            "sub_job_id": 0,
            "submittal_package": {
                "id": 0,
                "attachments": [],
                "created_by": person,
                "description": "",
                "number": "",
                "specification_section_id": 0,
                "submittal_ids": [],
                "title": "",
                "updated_at": stamp(created),
            },
            "custom_fields": {},
            **UNLISTED,
        }

    def change_event(self, project: Project, index: int) -> Record:
        rng = self.chance.rng
        created = self.chance.moment(1, 260)
        event_id = self.world.new_id()
        status = rng.choices(["Open", "Pending", "Closed"], [5, 2, 4])[0]
        reason = CHANGE_REASONS[rng.randrange(len(CHANGE_REASONS))]
        place = CHANGE_PLACES[rng.randrange(len(CHANGE_PLACES))]
        items = []
        for _ in range(rng.randint(1, 3)):
            amount = str(self.chance.money(900, 70_000))
            items.append(
                {
                    "id": self.world.new_id(),
                    "event_id": event_id,
                    "latest_cost_values": {"amount": amount, "source": "rom"},
                    "latest_revenue_values": {"amount": amount, "source": "rom"},
                }
            )
        origin: Record = {}
        if project.rfis and rng.random() < 0.4:
            rfi = self.chance.one_of(list(project.rfis.values()))
            origin = {
                "origin_id": rfi["id"],
                "origin_type": "RFI",
                "display_name": f"RFI {rfi['number']}",
                "web_page_url": rfi["link"],
            }
        return {
            "id": event_id,
            "event_origin": origin,
            "number": f"{index + 1:03d}",
            "title": f"{reason} {place}",
            "description": "",
            "scope": rng.choice(["in_scope", "out_of_scope", "tbd"]),
            "status": {"id": 1, "name": status, "mapped_to_status": status},
            "change_type": {"id": 1, "name": "Owner Change", "abbreviation": "OC"},
            "change_reason": {"id": 1, "change_reason": reason},
            "project_id": project.id,
            "company_id": project.company_id,
            "currency_configuration": {"currency_iso_code": "USD"},
            "change_items": items,
            "created_by": self._person(),
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            "in_recycle_bin": False,
            **UNLISTED,
        }

    def purchase_order(self, project: Project, index: int) -> Record:
        status = self.chance.rng.choice(["Approved", "Approved", "Processing", "Draft", "Closed"])
        record = self._contract(project, f"PO-{1001 + index}", status, "materials")
        return {**record, "assignee": {"id": self._person()["id"]}}

    def subcontract(self, project: Project, index: int) -> Record:
        statuses = ["Approved", "Approved", "Complete", "Draft", "Out For Signature"]
        status = self.chance.rng.choice(statuses)
        return self._contract(project, f"SC-{1001 + index}", status, "subcontract")

    def _contract(self, project: Project, number: str, status: str, what: str) -> Record:
        created = self.chance.moment(3, 400)
        total = self.chance.money(15_000, 1_400_000)
        vendor = self.chance.one_of(self.vendors)
        return {
            "id": self.world.new_id(),
            "number": number,
            "title": f"{vendor['trade_name']} {what}",
            "status": status,
            "executed": status in {"Approved", "Complete", "Closed"},
            "private": False,
            "vendor": {"id": vendor["id"], "company": vendor["name"]},
            "project": {"id": project.id, "name": project.record["name"]},
            "grand_total": str(total),
            "total_payments": "0.00",
            "accounting_method": "amount",
            "currency_configuration": {"currency_iso_code": "USD"},
            "created_at": stamp(created),
            "updated_at": stamp(self.chance.after(created)),
            **UNLISTED,
        }

    def _person(self) -> Record:
        user = self.chance.one_of(self.users)
        return {"id": user["id"], "name": user["name"], "login": user["email_address"]}

    def _vendor(self) -> Record:
        vendor = self.chance.one_of(self.vendors)
        return {"id": vendor["id"], "name": vendor["name"]}
