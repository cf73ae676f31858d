"""manage.py support_bundle COMPANY_ID --output FILE"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from partner_app.core.command import JsonCommand
from partner_app.help.diagnostics import write_bundle


class Command(JsonCommand):
    help = "Writes what support needs about a company into a ZIP: no record, no name, no secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int)
        parser.add_argument("--output", type=Path, required=True)

    def work(self, **options: Any) -> Any:
        return write_bundle(options["company_id"], options["output"])
