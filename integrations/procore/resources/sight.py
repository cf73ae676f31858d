"""Which records of a mirror a person may see who does not administer their tool.

A record that is or may be private, or is a draft, is visible to the people named on it. A record
that belongs to another is visible to anyone who sees that one. Inside tenant().
"""

from typing import Any

from django.db.models import Case, Exists, OuterRef, Q, Value, When

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.source import SourceRecord
from integrations.procore.resources.spec import Privacy

NEVER = Q(remote_id=None)


def open_to_all(model: type[SourceRecord]) -> Q:
    """Neither private nor a draft, according to the record itself; unknown counts as not open."""
    spec = model.spec
    found = Q()
    if spec.privacy is Privacy.UNSAID:
        return NEVER
    if spec.privacy is Privacy.SAID:
        found &= Q(private=False)
    if spec.draft:
        found &= ~Q(**{f"{spec.draft}__icontains": "draft"})
    return found


def visible_to(model: type[SourceRecord], person: int | None) -> Q:
    """Records visible to the person with this Procore id; None: to everyone who has the tool."""
    found = open_to_all(model)
    if person is not None and has_names(model) and found:
        found |= Q(named__contains=[person])
    holder = model.spec.held_by
    if holder is None:
        return found
    held = RESOURCES[holder.resource]
    rows: Any = held._base_manager.filter(
        visible_to(held, person),
        company_id=OuterRef("company_id"),
        remote_id=OuterRef(holder.column),
    )
    return found & Q(Exists(rows))


def has_names(model: type[SourceRecord]) -> bool:
    return any(field.name == "named" for field in model._meta.concrete_fields)


def with_restricted(rows: Any) -> Any:
    """Annotates `restricted`: not open to all, according to the record itself."""
    open_ones = open_to_all(rows.model)
    if not open_ones:
        return rows.annotate(restricted=Value(value=False))
    return rows.annotate(
        restricted=Case(When(open_ones, then=Value(value=False)), default=Value(value=True))
    )
