"""How figures are shown: money to the cent in tables, rounded with a unit in headlines."""

from decimal import Decimal

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma

register = template.Library()

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$", "AUD": "A$"}
STEPS = ((Decimal(1_000_000_000), "B"), (Decimal(1_000_000), "M"), (Decimal(1_000), "K"))


@register.filter
def money(amount: Decimal | None, currency: str = "USD") -> str:
    """$1,234.50; nothing known is a dash."""
    if amount is None:
        return "–"
    sign = "−" if amount < 0 else ""
    return f"{sign}{SIGNS.get(currency, currency + ' ')}{intcomma(f'{abs(amount):.2f}')}"


@register.filter
def headline(amount: Decimal | None, currency: str = "USD") -> str:
    """$1.2 M: for reading at a glance; the table behind it has the cents."""
    if amount is None:
        return "–"
    sign = "−" if amount < 0 else ""
    for step, unit in STEPS:
        if abs(amount) >= step:
            return f"{sign}{SIGNS.get(currency, currency + ' ')}{abs(amount) / step:.1f} {unit}"
    return f"{sign}{SIGNS.get(currency, currency + ' ')}{abs(amount):.0f}"


@register.filter
def percent(part: Decimal, whole: Decimal) -> str:
    """45.2 %, or n/a where there is nothing to divide by."""
    return "n/a" if not whole else f"{part / whole * 100:.1f} %"
