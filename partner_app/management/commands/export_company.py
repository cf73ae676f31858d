"""Writes all data of a company as JSON Lines, one file per resource."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from partner_app.core.command import JsonCommand
from partner_app.tenancy.export import export_company


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int)
        parser.add_argument("--output", type=Path, required=True)

    def work(self, **options: Any) -> Any:
        return export_company(company_id=options["company_id"], output=options["output"])
