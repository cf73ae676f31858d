"""Says what is wrong with this installation and how to mend it."""

from typing import Any

from partner_app.connections.doctor import examine
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def work(self, **_options: Any) -> Any:
        return examine()
