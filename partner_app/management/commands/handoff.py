"""Plans, approves, pushes or undoes the handoff of an estimate."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from partner_app.core.command import JsonCommand
from partner_app.handoffs.cli import (
    approve_handoff,
    plan_handoff,
    push_handoff,
    undo_handoff,
)
from partner_app.handoffs.locate import company_of_estimate

STEPS = {
    "plan": plan_handoff,
    "approve": approve_handoff,
    "push": push_handoff,
    "undo": undo_handoff,
}


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("estimate_id", type=UUID)
        steps = parser.add_mutually_exclusive_group(required=True)
        for name in STEPS:
            steps.add_argument(f"--{name}", dest="step", action="store_const", const=name)

    def work(self, **options: Any) -> Any:
        estimate_id = str(options["estimate_id"])
        company_id = company_of_estimate(estimate_id)
        return STEPS[options["step"]](company_id=company_id, estimate_id=estimate_id)
