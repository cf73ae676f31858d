"""Lists stored records that Procore no longer shows; confirms that they were deleted."""

from typing import Any

from django.core.management.base import CommandParser

from integrations.procore.sync.missing import confirm_deletion, missing_records
from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int)
        parser.add_argument(
            "--confirm", type=int, action="append", default=[], metavar="ID",
            help="the records of this entry were deleted in Procore: delete them here as well",
        )  # fmt: skip

    def work(self, **options: Any) -> Any:
        company_id, ids = options["company_id"], options["confirm"]
        confirmed = 0
        if ids:
            confirmed = confirm_deletion(company_id=company_id, ids=ids, actor="operator")
        return {"missing": missing_records(company_id), "confirmed": confirmed}
