"""Template tags of the workspace, in addition to core's filters."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from integrations.procore.resources.registry import label
from integrations.procore.sync.quarantine import UnreadMark
from integrations.procore.sync.remaining import Remaining, left_of
from partner_app.core.templatetags.show import day, measure, money
from partner_app.embedded.sight import Amount, VisibleRecord
from partner_app.insights.charts import Cell, ChartColumn, Figure

register = template.Library()


@register.filter
def as_json(value: object) -> str:
    """For an attribute: the template escapes it."""
    return json.dumps(value)


@register.filter
def table_rows(figure: Figure) -> SafeString:
    """The same as its chart. A template takes ten times as long for hundreds of cells."""

    def shown(cell: Cell, column: ChartColumn) -> str:
        if column.unit == "money" and isinstance(cell, int | Decimal):
            return money(Decimal(cell), figure.currency)
        return measure(cell, column.unit)

    rows = [
        f'<tr><th scope="row">{escape(day(name) if isinstance(name, date) else name)}</th>'
        + "".join(
            f'<td class="amount">{escape(shown(cell, column))}</td>'
            for cell, column in zip(cells, figure.columns[1:], strict=True)
        )
        for name, *cells in figure.rows
    ]
    return mark_safe("</tr>".join([*rows, ""]))  # noqa: S308  # escaped above


@register.filter
def unread_words(mark: UnreadMark) -> str:
    """RFIs, Vendors."""
    return ", ".join(gettext(label(name)) for name in mark.resources)


@register.filter
def minutes_of(left: Remaining | None, project_id: int) -> int | None:
    """Minutes until the project is complete; None where it is, or where that is unknown."""
    found = left_of(left, project_id)
    return found.minutes if found else None


@register.filter
def resource_words(name: str) -> str:
    """rfis becomes RFIs."""
    return gettext(label(name))


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
def cost(amount: Amount | None) -> str:
    """A withheld amount is a dash. A plain amount, without the viewer's rights, is refused.

    Raises TypeError.
    """
    if amount is None:
        return money(None)
    if not isinstance(amount, Amount):
        raise TypeError("On this page an amount is made with the rights of who looks")
    return money(amount.value, amount.currency)


@register.filter
def amount_in(row: VisibleRecord, column: str) -> str:
    return cost(getattr(row, column))


@register.filter
def minus(total: int, rows: Sequence[object]) -> int:
    return total - len(rows)
