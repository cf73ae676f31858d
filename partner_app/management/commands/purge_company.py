"""Deletes every row of a company and revokes its tokens; without --now the grace period begins."""

from typing import Any

from django.core.management.base import CommandParser

from partner_app.connections.leave import revoke_all
from partner_app.core.command import JsonCommand
from partner_app.tenancy.purge import purge_company, schedule_purge


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int)
        parser.add_argument("--now", action="store_true")

    def work(self, **options: Any) -> Any:
        company_id = options["company_id"]
        if not options["now"]:
            return schedule_purge(company_id=company_id)
        revoked = revoke_all(company_id=company_id)
        return {**purge_company(company_id=company_id), "revoked": revoked}
