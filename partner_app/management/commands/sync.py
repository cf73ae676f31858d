"""Syncs one company in this process and holds its lock."""

from typing import Any

from django.core.management.base import CommandParser

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int)
        parser.add_argument(
            "--full", action="store_true", help="read everything, not from the cursors"
        )
        parser.add_argument("--resource", action="append", choices=list(RESOURCES), default=[])

    def work(self, **options: Any) -> Any:
        return sync_now(
            company_id=options["company_id"],
            full=options["full"],
            only=options["resource"],
            wait=clock.wait_until,
        )
