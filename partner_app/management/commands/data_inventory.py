"""Prints every stored field of every Procore resource, with its purpose."""

from typing import Any

from integrations.procore.resources.registry import data_inventory
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def work(self, **_options: Any) -> Any:
        return data_inventory()
