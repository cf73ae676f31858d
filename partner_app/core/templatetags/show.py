"""Formats figures and times for the reader: money to the cent in tables, rounded in headlines."""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
)
from django import template
from django.utils.timesince import timesince
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from partner_app.core import clock
from partner_app.core.errors import TiebackError

register = template.Library()

# For each of our languages, the country whose format of amounts is used.
LOCALES = {"en": "en_US", "fr": "fr_CA"}
LETTER_BEFORE_FIGURE = re.compile(r"([A-Za-z])(\d)")  # CHF3.00
THOUSAND = Decimal(1000)
REMEMBERED = 4096  # formatted amounts; the same ones recur often


@register.filter
def money(amount: Decimal | None, currency: str = "USD") -> str:
    """$1,234.50; a dash where the amount is unknown."""
    return "–" if amount is None else _money(amount, currency, locale())


@register.filter
def headline(amount: Decimal | None, currency: str = "USD") -> str:
    """$1.2M, for a quick look; the table behind it has the cents."""
    return "–" if amount is None else _headline(amount, currency, locale())


@register.filter
def percent(part: Decimal, whole: Decimal) -> str:
    """45.2%, or n/a where there is nothing to divide by."""
    return _("n/a") if not whole else _percent(part / whole)


@register.filter
def number(value: int | Decimal | None) -> str:
    return "–" if value is None else format_decimal(value, locale=locale()).replace("-", "−")


@register.filter
def measure(value: object, unit: str) -> str:
    """A figure with its unit: count, days, percent (of a hundred); text unchanged."""
    if value is None:
        return "–"
    if unit == "percent":
        return _percent(Decimal(str(value)) / 100)
    if unit == "days":
        days = Decimal(str(value))
        shown = number(days.normalize() if days % 1 else days.quantize(Decimal(1)))
        return ngettext("%(days)s day", "%(days)s days", 1 if days == 1 else 2) % {"days": shown}
    return number(value) if isinstance(value, int | Decimal) else str(value)


@register.filter
def day(moment: date | datetime | None) -> str:
    """5 Mar 2026; a dash where the day is unknown."""
    return "–" if moment is None else format_date(moment, "d MMM y", locale=locale())


@register.filter
def ago(moment: datetime | None) -> str:
    """just now, or 3 hours ago: one unit is enough to judge freshness."""
    if moment is None:
        return _("never")
    if (clock.now() - moment).total_seconds() < 60:
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, clock.now(), depth=1)}


@register.filter
def took(begin: datetime, end: datetime) -> str:
    """4.2 s, or 3 min 20 s."""
    seconds = (end - begin).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


@register.filter
def days_late(due: date | None, today: date) -> str:
    days = (today - due).days if due else 0
    if days <= 0:
        return ""
    return ngettext("%(days)s day late", "%(days)s days late", days) % {"days": days}


def locale() -> str:
    return LOCALES.get((get_language() or "en")[:2], LOCALES["en"])


@lru_cache(REMEMBERED)
def _money(amount: Decimal, currency: str, where: str) -> str:
    shown = format_currency(amount, currency, locale=where).replace("-", "−")
    return LETTER_BEFORE_FIGURE.sub("\\1\xa0\\2", shown)


@lru_cache(REMEMBERED)
def _headline(amount: Decimal, currency: str, where: str) -> str:
    digits = 0 if abs(amount) < THOUSAND else 1
    shown = format_compact_currency(amount, currency, locale=where, fraction_digits=digits)
    return shown.replace("-", "−")


def _percent(share: Decimal) -> str:
    return format_percent(share, format="#,##0.0%", locale=locale()).replace("-", "−")


@register.filter
def event_words(event: str) -> str:
    """company.reinstalled becomes Company reinstalled."""
    return event.replace(".", " ").replace("_", " ").capitalize()


@register.filter
def actor_words(actor: str, names: dict[str, str] | None = None) -> str:
    """The actor in words; people of Procore by name where the reader may know it."""
    kind, which = actor.partition(":")[::2]
    if kind == "procore" and which:
        return (names or {}).get(actor) or _("Someone at the company")
    if kind == "partner":
        return _("Partner admin %(number)s") % {"number": which}
    known = {"operator": _("Operator"), "system": "Tieback", "procore": "Procore"}
    return known.get(kind, _("Unknown"))


@register.filter
def message(error: TiebackError) -> str:
    """What went wrong, in the reader's language."""
    return _(error.user_message).format(**error.facts)


@register.filter
def advice(error: TiebackError) -> str:
    """What to do about it."""
    return _(error.remedy).format(**error.facts)


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def decimal(text: str) -> Decimal:
    """An amount that was stored as text."""
    return Decimal(text)


@register.filter
def plain(number: Decimal | None) -> str:
    """A quantity or price with all its decimals: grouped, without trailing zeros."""
    if number is None:
        return "–"
    shown = format_decimal(number.normalize(), locale=locale(), decimal_quantization=False)
    return shown.replace("-", "−")


@register.filter
def translated(text: str) -> str:
    """A whole sentence stored in English; one that carries facts stays as it is."""
    return _(text) if text else ""


@register.filter
def share(confidence: str) -> str:
    """0.93 becomes 93%, or 93 % in French."""
    return format_percent(Decimal(confidence), format="0%", locale=locale())


@register.filter
def wbs_words(flat_name: str) -> str:
    """Mobilization.Commitment becomes Mobilization · Commitment."""
    code, _, cost_type = flat_name.rpartition(".")
    return f"{code} · {cost_type}" if code else flat_name


@register.filter
def item(names: dict[str, str], key: str) -> str:
    return names.get(key, "")
