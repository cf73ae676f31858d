"""Creates the role that the app runs as, with least privilege; safe to repeat."""

from typing import Any

from partner_app.core.command import JsonCommand
from partner_app.core.provision import provision


class Command(JsonCommand):
    help = __doc__

    def work(self, **_options: Any) -> Any:
        return provision()
