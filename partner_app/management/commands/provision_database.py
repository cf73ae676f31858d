"""Creates the app's database role with minimal privileges; may be repeated."""

from typing import Any

from partner_app.core.command import JsonCommand
from partner_app.core.provision import provision


class Command(JsonCommand):
    help = __doc__

    def work(self, **_options: Any) -> Any:
        return provision()
