"""Which lists are stale because Procore stopped showing them: a sentence each, with the reason."""

from collections import defaultdict
from collections.abc import Iterable

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.procore.resources.registry import label
from integrations.procore.sync.absence import kept_for
from integrations.procore.sync.models import Absence, Reason


def stale_lists(company_id: int) -> list[str]:
    """Empty where no list is in doubt."""
    groups: dict[tuple[str, bool], list[Absence]] = defaultdict(list)
    for absence in Absence.objects.filter(company_id=company_id).order_by("since", "id"):
        groups[absence.resource, absence.withheld].append(absence)
    return [
        _projects(company_id, rows)
        if rows[0].reason == Reason.NOT_PERMITTED
        else _list(label(resource), rows, withheld=withheld)
        for (resource, withheld), rows in groups.items()
    ]


def _projects(company_id: int, rows: list[Absence]) -> str:
    text = ngettext(
        "%(number)s project is no longer permitted for Tieback in Procore: what is shown of it is "
        "as of %(day)s and is deleted after %(days)s days. An administrator can permit it again "
        "under App Management.",
        "%(number)s projects are no longer permitted for Tieback in Procore: what is shown of them "
        "is as of %(day)s and is deleted after %(days)s days. An administrator can permit them "
        "again under App Management.",
        len(rows),
    )
    return text % {"number": len(rows), "day": _day(rows), "days": kept_for(company_id).days}


def _list(name: str, rows: list[Absence], *, withheld: bool) -> str:
    facts = {"list": name, "records": sum(row.missing for row in rows), "day": _day(rows)}
    if withheld or rows[0].reason == Reason.HIDDEN:
        return (
            _(
                "%(list)s: Procore no longer lets Tieback read %(records)s records, shown as of "
                "%(day)s. An administrator can give the app’s service account access again."
            )
            % facts
        )
    return (
        _(
            "%(list)s: Procore no longer lists %(records)s records but does not confirm that they "
            "were deleted. They are shown as of %(day)s, and Tieback will check again."
        )
        % facts
    )


def _day(rows: Iterable[Absence]) -> str:
    return date_format(min(row.since for row in rows), "DATE_FORMAT")
