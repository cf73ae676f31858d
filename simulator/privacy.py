"""Private and draft records of each kind, and the people named on them.

Only a record's place decides, so all other seeded values stay the same. The service account's
lists contain them all; an app that shows them must check the viewer.
"""

from collections.abc import Callable, Iterable

from simulator.costs import Costs
from simulator.world import Company, Person, Record

EVERY = 5  # one record in five of a list is private; in a short list the last one
PLACE = 3
# By list: the field that says so, and fields that name one person.
SAID: dict[str, tuple[str, tuple[str, ...]]] = {
    "rfis": ("private", ("rfi_manager", "assignee", "received_from")),
    "submittals": ("private", ("submittal_manager", "received_from")),
    "work_order_contracts": ("private", ()),
    "purchase_order_contracts": ("private", ("assignee",)),
    "change_orders": ("private", ("designated_reviewer", "received_from", "created_by")),
    "observations": ("personal", ("assignee",)),
    "punch_items": ("private", ("punch_item_manager", "final_approver")),
}


def withhold(company: Company, people: Iterable[Person]) -> None:
    """Each kind gets private records and a draft; every second private one names a known person."""
    known = [person for person in people if company.id in person.company_ids]
    for project in company.projects.values():
        for number, (kind, (field, names)) in enumerate(SAID.items()):
            rows = list(getattr(project, kind).values())
            for place, record in enumerate(rows[PLACE::EVERY] or rows[-1:]):
                record[field] = True
                if (number + place) % 2:
                    _name(record, names, known[(number + place) // 2 % len(known)])
    for kind, draft in DRAFTS.items():
        _some_draft(company, kind, draft)


def _name(record: Record, names: tuple[str, ...], person: Person) -> None:
    """Replaces the person that the seed chose, in the same form."""
    for name in names[:1]:
        said = {"id": person.id, "name": person.name, "login": person.login}
        record[name] = {key: said.get(key, value) for key, value in record[name].items()}


def _draft_rfi(record: Record) -> None:
    record |= {"status": "draft", "translated_status": "Draft"}
    record.pop("due_date", None)
    record.pop("time_resolved", None)


def _draft_submittal(record: Record) -> None:
    record["status"] = {"id": 1, "name": "Draft", "status": "Draft"}


def _draft_punch_item(record: Record) -> None:
    record["workflow_status"] = "draft"


def _draft(word: str) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        record["status"] = word

    return change


DRAFTS: dict[str, Callable[[Record], None]] = {
    "rfis": _draft_rfi,
    "submittals": _draft_submittal,
    "work_order_contracts": _draft("Draft"),
    "purchase_order_contracts": _draft("Draft"),
    "change_orders": _draft("draft"),
    "direct_costs": _draft("draft"),
    "requisitions": _draft("draft"),
    "punch_items": _draft_punch_item,
}


def _some_draft(company: Company, kind: str, draft: Callable[[Record], None]) -> None:
    """Makes one record a draft where the seed made none, in the first project with the kind."""
    pairs = [(p, row) for p in company.projects.values() for row in getattr(p, kind).values()]
    if not pairs or any(_is_draft(row) for _, row in pairs):
        return
    project, record = pairs[0]
    draft(record)
    if "contract_id" in record:
        Costs.settle(project, project.contract(record["contract_id"]))


def _is_draft(record: Record) -> bool:
    status = record["status"]
    said = status["status"] if isinstance(status, dict) else status
    return "draft" in {str(said).lower(), record.get("workflow_status")}
