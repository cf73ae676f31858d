"""Shows each company's install state, connection, freshness of each resource, and problems."""

from typing import Any

from django.core.management.base import CommandParser

from integrations.procore.sync.status import status
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int, nargs="?")

    def work(self, **options: Any) -> Any:
        return status(options["company_id"])
