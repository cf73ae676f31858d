"""manage.py restore FILE"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from partner_app.core.backup import restore
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = "Replaces the database by what a backup holds. Stop web, worker and beat first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def work(self, **options: Any) -> Any:
        return restore(options["file"])
