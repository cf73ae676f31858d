"""Revokes a company's tokens and deletes its data: now (--now), or after the grace period."""

from typing import Any

from django.core.management.base import CommandParser

from partner_app.connections.leave import purge_now
from partner_app.core.command import JsonCommand
from partner_app.tenancy.lifecycle import schedule_purge


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int)
        parser.add_argument("--now", action="store_true")

    def work(self, **options: Any) -> Any:
        company_id = options["company_id"]
        if not options["now"]:
            return schedule_purge(company_id=company_id)
        return purge_now(company_id=company_id)
