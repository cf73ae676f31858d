"""Creates a partner admin, or resets a password, with a link that works once within a day."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from partner_app.accounts.admins import invite_admin, is_set_up
from partner_app.accounts.models import Role
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default="partner")
        parser.add_argument("--role", choices=Role.values, default=Role.OWNER.value)

        parser.add_argument(
            "--unless-set-up", action="store_true", help="no new link where one was used"
        )
        parser.add_argument(
            "--reset-second-factor", action="store_true", help="for someone who has lost theirs"
        )

    def work(self, **options: Any) -> Any:
        role = Role(options["role"])
        if options["unless_set_up"] and is_set_up(options["username"]):
            return {"username": options["username"], "set_up_link": ""}
        secret, until = invite_admin(
            username=options["username"],
            role=role,
            reset_second_factor=options["reset_second_factor"],
        )
        return {
            "username": options["username"],
            "role": role.value,
            "set_up_link": f"{settings.BASE_URL}/accounts/set-up/{secret}/",
            "expires_at": until,
        }
