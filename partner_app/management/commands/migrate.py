"""Django's migrate, as the role that owns the schema unless told otherwise."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands.migrate import Command as Migrate

from partner_app.core.provision import require_owner

OWNER = "owner"


class Command(Migrate):
    def handle(self, *arguments: Any, **options: Any) -> Any:
        """Raises OwnerUnknown."""
        if options["database"] == OWNER:
            require_owner()
        return super().handle(*arguments, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=OWNER)
