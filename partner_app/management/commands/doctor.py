"""Checks this installation and says how to fix each problem."""

from typing import Any

from django.core.management.base import CommandParser

from partner_app.connections.doctor import examine
from partner_app.connections.first_day import first_day
from partner_app.core.command import JsonCommand
from partner_app.tenancy.lifecycle import company_or_error


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--first-day",
            type=int,
            metavar="COMPANY_ID",
            help="how a real Procore answers, from docs/operations/first-day.md; reads only",
        )
        parser.add_argument("--project", type=int, metavar="ID", help="through which project")

    def work(self, **options: Any) -> Any:
        if options["first_day"] is None:
            return examine()
        company_id = company_or_error(options["first_day"]).id
        return first_day(company_id=company_id, project_id=options["project"])
