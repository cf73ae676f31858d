"""Prints the SQL changes needed before Citus distributes companies over Postgres servers."""

from dataclasses import asdict
from typing import Any

from django.db import connections

from partner_app.core.command import JsonCommand
from partner_app.tenancy.distribution import plan


class Command(JsonCommand):
    help = __doc__

    def work(self, **_options: Any) -> Any:
        return asdict(plan(connections["default"]))
