"""How figures and moments are shown: money to the cent in tables, rounded in headlines."""

from datetime import date, datetime
from decimal import Decimal

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.timesince import timesince

from partner_app.core import clock

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


@register.filter
def ago(moment: datetime | None) -> str:
    """just now, or 3 hours ago: one unit is enough to judge freshness by."""
    if moment is None:
        return "never"
    if (clock.now() - moment).total_seconds() < 60:
        return "just now"
    return f"{timesince(moment, clock.now(), depth=1)} ago"


@register.filter
def days_late(due: date | None, today: date) -> str:
    days = (today - due).days if due else 0
    return f"{days} day{'s' if days != 1 else ''} late" if days > 0 else ""


@register.filter
def event_words(event: str) -> str:
    """company.reinstalled becomes Company reinstalled."""
    return event.replace(".", " ").replace("_", " ").capitalize()


@register.filter
def actor_words(actor: str, names: dict[str, str] | None = None) -> str:
    """Who it was, in words; people of Procore by name where the reader may know it."""
    kind, _, which = actor.partition(":")
    if kind == "procore" and which:
        return (names or {}).get(actor) or "Somebody at the company"
    if kind == "partner":
        return f"Partner admin {which}"
    return {"operator": "Operator", "system": "Tieback", "procore": "Procore"}.get(kind, "Unknown")


@register.filter
def decimal(text: str) -> Decimal:
    """An amount that was kept as text."""
    return Decimal(text)


@register.filter
def plain(number: Decimal | None) -> str:
    """A quantity or price as it was written: grouped, and without zeros that say nothing."""
    return "–" if number is None else f"{number.normalize():,f}"


@register.filter
def share(confidence: str) -> str:
    """0.93 becomes 93 %."""
    return f"{Decimal(confidence) * 100:.0f} %"


@register.filter
def wbs_words(flat_name: str) -> str:
    """Mobilization.Commitment becomes Mobilization · Commitment."""
    code, _, cost_type = flat_name.rpartition(".")
    return f"{code} · {cost_type}" if code else flat_name


@register.filter
def item(names: dict[str, str], key: str) -> str:
    return names.get(key, "")
