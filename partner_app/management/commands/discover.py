"""Asks Procore which companies have installed the app."""

from typing import Any

from partner_app.connections.discover import discover
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def work(self, **_options: Any) -> Any:
        return discover()
