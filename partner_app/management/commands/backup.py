"""manage.py backup --output FILE"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from partner_app.core.backup import backup
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = "Writes the whole database into one file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, required=True)

    def work(self, **options: Any) -> Any:
        return backup(options["output"])
