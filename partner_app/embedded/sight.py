"""The rule of private records and drafts, in one place: for the tool's admins and those named."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from integrations.procore.resources.sight import visible_to
from integrations.procore.resources.source import SourceRecord
from partner_app.embedded.entitlement import Rights, Tool


def seen_by(rows: Any, rights: Mapping[int, Rights]) -> Any:
    """Of these records those that the viewer may see, on the projects of which rights are given.

    Inside tenant(). Who lacks the tool on a project sees none of its records.
    """
    return rows.filter(may_see(rows.model, rights))


def may_see(model: type[SourceRecord], rights: Mapping[int, Rights]) -> Q:
    tool = Tool(model.spec.tool)
    every = {key for key, own in rights.items() if tool in own.administers}
    some = {key for key, own in rights.items() if tool in own.tools} - every
    found = Q(project_id__among=every)
    if some:
        person = next(iter(rights.values())).person
        found |= Q(project_id__among=some) & visible_to(model, person)
    return found
