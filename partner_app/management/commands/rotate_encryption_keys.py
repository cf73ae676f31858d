"""Re-encrypts every secret under the first key; may be repeated after an interruption."""

from typing import Any

from partner_app.connections.leave import reencrypt_all
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def work(self, **_options: Any) -> Any:
        return reencrypt_all()
