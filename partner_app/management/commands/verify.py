"""Compares the mirror with Procore, record by record, without changing anything."""

from typing import Any

from django.core.management.base import CommandParser

from integrations.procore.sync.verify import verify
from partner_app.core import clock
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int)

    def work(self, **options: Any) -> Any:
        return verify(company_id=options["company_id"], wait=clock.wait_until)
