"""Reads, validates and stores an estimate file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from partner_app.core.command import JsonCommand
from partner_app.estimates.services import import_estimate


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--company", type=int, required=True)
        parser.add_argument("--project", type=int, required=True)
        parser.add_argument("--mapping", type=Path)
        parser.add_argument("--part", default="", help="which contract, where a file has several")
        parser.add_argument("--dry-run", action="store_true")

    def work(self, **options: Any) -> Any:
        return import_estimate(
            file=options["file"],
            company_id=options["company"],
            project_id=options["project"],
            mapping=options["mapping"],
            dry_run=options["dry_run"],
            part=options["part"],
        )
