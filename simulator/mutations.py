"""People at work: seeded additions, changes and deletions across a company's records."""

import copy
import random
from collections.abc import Callable
from typing import Any

from simulator.clock import stamp
from simulator.costs import Costs
from simulator.state import Simulator
from simulator.world import Project, Record

# The kind, a field that people change, and whether Procore keeps deleted records.
KINDS: tuple[tuple[str, str, bool], ...] = (
    ("rfis", "subject", True),
    ("submittals", "title", False),
    ("change_events", "title", True),
    ("work_order_contracts", "title", True),
    ("purchase_order_contracts", "title", True),
    ("change_orders", "title", False),
    ("direct_costs", "description", False),
    ("requisitions", "invoice_number", False),
    ("observations", "name", False),
    ("punch_items", "name", False),
)
Tell = Callable[[Simulator, Project, str, int, str], None]


class Mutations:
    """The same seed on the same world makes the same changes."""

    def __init__(self, simulator: Simulator, seed: int, company_id: int | None, tell: Tell) -> None:
        self.simulator, self.tell = simulator, tell
        self.rng = random.Random(seed)
        company = company_id or next(iter(simulator.world.companies))
        self.projects = list(simulator.world.companies[company].projects.values())

    def make(self, changes: int) -> dict[str, int]:
        done = {"create": 0, "update": 0, "delete": 0}
        for number in range(changes):
            project = self.projects[self.rng.randrange(len(self.projects))]
            kind, field, soft = KINDS[self.rng.randrange(len(KINDS))]
            rows: dict[int, Record] = getattr(project, kind)
            living = [row for row in rows.values() if "deleted_at" not in row]
            if not living:
                continue
            record = living[self.rng.randrange(len(living))]
            reason = self.rng.choices(["create", "update", "delete"], [2, 6, 2])[0]
            if reason == "create":
                record = self._copy(rows, record)
            elif reason == "update":
                record[field] = f"{str(record[field])[:60]} r{number}"
            else:
                self._delete(rows, record, soft=soft)
            if kind == "change_orders":
                self._settle(project, record["contract_id"])
            self.simulator.world.touch(record)
            self.tell(self.simulator, project, kind, record["id"], reason)
            done[reason] += 1
        return done

    def _copy(self, rows: dict[int, Record], record: Record) -> Record:
        added: dict[str, Any] = copy.deepcopy(record)
        added["id"] = self.simulator.world.new_id()
        for item in added.get("change_items", []):  # separate records within an event
            item |= {"id": self.simulator.world.new_id(), "event_id": added["id"]}
        added["created_at"] = stamp(self.simulator.clock.now())
        rows[added["id"]] = added
        return added

    def _delete(self, rows: dict[int, Record], record: Record, *, soft: bool) -> None:
        if soft:
            record["deleted_at"] = stamp(self.simulator.clock.now())
            if "deleted" in record:
                record["deleted"] = True
        else:
            del rows[record["id"]]
            self._delete_lines(record["id"])

    def _settle(self, project: Project, contract_id: int) -> None:
        """Updates the contract after its change orders."""
        kind = (
            "work_order_contracts"
            if contract_id in project.work_order_contracts
            else "purchase_order_contracts"
        )
        contract: Record = getattr(project, kind)[contract_id]
        Costs.settle(project, contract)
        self.simulator.world.touch(contract)
        self.tell(self.simulator, project, kind, contract_id, "update")

    def _delete_lines(self, holder_id: int) -> None:
        """Deletes a direct cost's lines with it."""
        for project in self.projects:
            lines = project.direct_cost_line_items
            for key in [key for key, line in lines.items() if line["holder"]["id"] == holder_id]:
                del lines[key]
