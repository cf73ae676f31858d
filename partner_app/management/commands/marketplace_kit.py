"""manage.py marketplace_kit --output DIR"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from partner_app.core.command import JsonCommand
from partner_app.marketplace.kit import write_kit


class Command(JsonCommand):
    help = "Writes what a Marketplace listing needs, checked against Procore's requirements."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, required=True)

    def work(self, **options: Any) -> Any:
        return write_kit(options["output"])
