"""The contract of every command: one JSON document on stdout, logs on stderr, exit 0, 1 or 2."""

import sys
from typing import Any

import msgspec
from django.core.management.base import BaseCommand

from partner_app.core.errors import TiebackError

ENCODER = msgspec.json.Encoder(decimal_format="number")


class JsonCommand(BaseCommand):
    """A subclass answers from `work`; a TiebackError becomes {"error", "message"} and exit 1."""

    requires_system_checks = ()  # the commands report themselves what is wrong

    def work(self, **options: Any) -> Any:
        raise NotImplementedError

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            result = self.work(**options)
        except TiebackError as error:
            answer = {
                "error": error.code.rpartition(".")[2],
                "message": error.message,
                "remedy": error.advice,
                **error.details,
            }
            self._print(answer)
            sys.exit(1)
        self._print(result)
        if isinstance(result, dict) and (result.get("ok") is False or result.get("error")):
            sys.exit(1)

    def _print(self, document: Any) -> None:
        self.stdout.write(msgspec.json.format(ENCODER.encode(document), indent=2).decode())
