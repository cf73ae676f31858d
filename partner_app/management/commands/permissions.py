"""Compares the service account's permissions with those that the app needs, tool by tool."""

from typing import Any

from django.core.management.base import CommandParser

from integrations.procore.resources.projects import Project
from partner_app.connections.gaps import Right, asked_words, rights_of
from partner_app.connections.rights import check, known
from partner_app.core import clock
from partner_app.core.command import JsonCommand
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company_id", type=int)

    def work(self, **options: Any) -> Any:
        """Calls Procore once for each permitted project, and waits where its limits require it."""
        company_id = company_or_error(options["company_id"]).id
        with tenant(company_id):
            held = Project.objects.filter(company_id=company_id)
            mirrored = list(held.values_list("remote_id", flat=True))
        check(company_id=company_id, mirrored=mirrored, wait=clock.wait_until)
        return [_row(right) for right in rights_of(known(company_id))]


def _row(right: Right) -> dict[str, Any]:
    manifest, asked = right.answer.manifest, right.asked
    return {
        "project_id": right.project_id,
        "tab": asked.tab,
        "tool": asked.tool,
        "asked": asked_words(asked),
        "granted": right.granted,
        "granular": {each.label: each.given_by(manifest, asked.tool) for each in asked.granular},
        "cause": right.cause_words(),
        "remedy": right.remedy_words(),
        "checked_at": right.answer.checked_at,
    }
