"""Numerals of an estimate to exact Decimals. Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal

CURRENCY = r"(?:[$€£¥]|USD|CAD|EUR|GBP|AUD)?"
NUMERAL = r"(?P<{0}>(?:\d{{1,3}}(?:[,.' \u00a0\u202f]\d{{3}})+|\d+)?(?:[.,]\d+)?)"
# A leading sign, a trailing minus, or brackets: one of the three.
FORMS = re.compile(
    rf"(?P<sign>[+-−]?)\s*{CURRENCY}\s*(?P<inner>[+-−]?){NUMERAL.format('plain')}\s*{CURRENCY}"
    rf"|{CURRENCY}\s*{NUMERAL.format('trailing')}\s*[-−]"
    rf"|\(\s*{CURRENCY}\s*{NUMERAL.format('bracketed')}\s*\)".replace("+-−", "+\\-−")
)
ZERO = {"-", "–", "—"}  # an accountant's zero
GROUPED = re.compile(r"\d{1,3}([,.' \u00a0\u202f])\d{3}(?:\1\d{3})*")


class NotANumber(ValueError):
    """The text is not a number that can be read with certainty."""


def decimal_mark(texts: Iterable[str]) -> str:
    """`.` or `,` according to the whole column; empty when its numbers could be either.

    1.234,50 proves the comma, 1,234.50 the point; so do 12,5 and 12.50. Only numbers such as 1,234
    are ambiguous.
    """
    votes = {".": 0, ",": 0}
    open_ = 0
    for text in texts:
        found = re.findall(r"[.,]", text)
        if not found:
            continue
        digits = re.split(r"[.,]", text)
        after = re.match(r"\d*", digits[-1])
        last, count = found[-1], len(after[0]) if after else 0
        if len(set(found)) == 2:
            votes[last] += 1
        elif len(found) > 1:
            votes["," if last == "." else "."] += 1
        elif count != 3:
            votes[last] += 1
        else:
            open_ += 1
    if votes["."] and not votes[","]:
        return "."
    if votes[","] and not votes["."]:
        return ","
    if votes["."] or votes[","]:
        return "." if votes["."] >= votes[","] else ","
    return "" if open_ else "."


def number(text: str, mark: str = ".") -> Decimal | None:
    """1,234.50, $1,234.50, USD 5; (123.45) and 123.45- as negative; a dash alone is zero.

    `mark` is the column's decimal mark. Blank is None. Raises NotANumber.
    """
    raw = text.strip()
    if not raw:
        return None
    if raw in ZERO:
        return Decimal(0)
    found = FORMS.fullmatch(raw)
    digits = found and (found["plain"] or found["trailing"] or found["bracketed"])
    if not found or not digits or (found["sign"] and found["inner"]):
        raise NotANumber(text)
    value = _value(digits, mark)
    minus = {"-", "−"}
    negative = bool({found["sign"], found["inner"]} & minus)
    return -value if negative or found["trailing"] or found["bracketed"] else value


def _value(digits: str, mark: str) -> Decimal:
    other = "," if mark == "." else "."
    whole, _, part = digits.partition(mark)
    if mark in part or other in part:
        raise NotANumber(digits)
    if not whole.isdigit() and whole:
        if not GROUPED.fullmatch(whole):
            raise NotANumber(digits)
        whole = re.sub(r"\D", "", whole)
    if part and not part.isdigit():
        raise NotANumber(digits)
    return Decimal(f"{whole or 0}.{part or 0}") if part else Decimal(whole or 0)
