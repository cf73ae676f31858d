"""What the workspace's templates need beyond core's filters."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django import template

from partner_app.core.templatetags.show import money
from partner_app.insights.charts import Cell, Column
from partner_app.insights.words import RESOURCE_WORDS

register = template.Library()


@register.filter
def as_json(value: object) -> str:
    """For an attribute: the template escapes it."""
    return json.dumps(value)


@register.filter
def with_columns(row: Sequence[Cell], columns: Sequence[Column]) -> Iterable[tuple[Cell, Column]]:
    return list(zip(row, columns, strict=True))


@register.filter
def resource_words(name: str) -> object:
    """rfis becomes RFIs."""
    return RESOURCE_WORDS.get(name, name)


@register.filter
def status_words(status: str) -> str:
    """no_charge becomes No charge."""
    return status.replace("_", " ").capitalize()


@register.filter
def record_title(row: Any) -> str:
    """Number and title of any kind of record."""
    names = ("number", "invoice_number"), ("subject", "title")
    parts = [next((getattr(row, n) for n in group if hasattr(row, n)), "") for group in names]
    return " ".join(str(part) for part in parts if part)


@register.filter
def amount_in(row: Any, column: str) -> str:
    return money(getattr(row, column), getattr(row, "currency", "") or "USD")


@register.filter
def minus(total: int, rows: Sequence[object]) -> int:
    return total - len(rows)
