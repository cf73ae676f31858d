"""Ends sessions and sign-in codes of a company, a person, a partner admin, or everyone."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from partner_app.accounts.ends import sign_out_admin, sign_out_company, sign_out_everybody
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--company", type=int, metavar="ID", help="everyone at that company")
        whom.add_argument("--admin", metavar="NAME", help="a partner admin")
        whom.add_argument("--everybody", action="store_true")
        parser.add_argument("--person", type=int, metavar="ID", help="with --company: one person")

    def work(self, **options: Any) -> Any:
        if options["company"] is not None:
            return {"ended": sign_out_company(options["company"], options["person"])}
        if options["person"] is not None:
            raise CommandError("--person needs --company.", returncode=2)
        if options["admin"]:
            return {"ended": sign_out_admin(options["admin"])}
        return {"ended": sign_out_everybody()}
