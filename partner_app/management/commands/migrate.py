"""Django's migrate, as the owner of the schema by default."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as Migrate

from partner_app.core.provision import OwnerUnknown, require_owner

OWNER = "owner"


class Command(Migrate):
    def execute(self, *arguments: Any, **options: Any) -> Any:
        """Checks the owner's connection first. Raises CommandError."""
        if options["database"] == OWNER:
            try:
                require_owner()
            except OwnerUnknown as error:
                raise CommandError(f"{error.message} {error.advice}") from None
        return super().execute(*arguments, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=OWNER)
