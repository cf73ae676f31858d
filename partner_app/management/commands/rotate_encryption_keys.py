"""Re-encrypts every secret under the first key; may be repeated after an interruption."""

from typing import Any

from partner_app.connections.rotation import rotate_encryption_keys
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def work(self, **_options: Any) -> Any:
        return rotate_encryption_keys()
