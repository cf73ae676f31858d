"""Reads single values as leniently as their meaning allows. Pure.

Whatever the quick reading accepts is read the same way here. Beyond that, a date is found in a
date-time, a number in text, a value in a list of one. A value that cannot be read is described by
its shape only.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from integrations.procore.api.envelopes import shape_of
from integrations.procore.api.values import LARGEST_ID

Ids = list[int]
Value = str | int | bool | Decimal | date | datetime | Ids | None
YEARS = range(1900, 2200)  # outside these, a date is a placeholder or a mistake
WHOLE_DIGITS = 16  # before the point: numeric(20, 4)
SMALLEST = -40  # power of ten; a smaller amount is a mistake, and Postgres rejects it
SECONDS = range(10**8, 10**10)  # of a Unix time; values a thousand times larger are milliseconds

WORDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    Decimal: "an amount",
    bool: "yes or no",
    date: "a date",
    datetime: "a date and time",
}
# Keys under which an object holds the value that was expected in its place.
INSIDE: dict[type, tuple[str, ...]] = {
    str: ("name", "label", "title", "value", "status", "company", "code"),
    int: ("id", "value"),
    Decimal: ("amount", "value"),
    bool: ("value",),
    date: ("date", "value"),
    datetime: ("date", "value"),
}
TRUE, FALSE = {"true", "yes", "1", "t", "y"}, {"false", "no", "0", "f", "n"}
_MARKS = re.compile(r"[\s'’\u2019\u00a0\u202f]|[A-Z]{3}|[$€£¥₹₽₩₪₱฿₫₴₦]|(?:CA|US|AU|NZ|R)(?=\$)")
DEEPEST = 3  # levels of nested lists and objects
# 1,234,567.89 or 12,34,567.89; then 1.234.567; then 1.234,5 or 1234,50. 1234,567 may be about a
# thousand or more than a million, so it is read as neither.
_COMMAS = re.compile(r"-?[1-9]\d{0,2}(,\d{2,3})*,\d{3}(\.\d*)?$")
_POINTS = re.compile(r"-?[1-9]\d{0,2}(\.\d{3}){2,}$")
_COMMA_LAST = re.compile(r"-?(\d+|[1-9]\d{0,2}(\.\d{3})+),(\d{1,2}|\d{4})$")
_DAY = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ].*)?$", re.DOTALL)


class WrongShape(ValueError):
    """A value that cannot be read; `shape` completes a sentence and holds no value."""

    def __init__(self, shape: str) -> None:
        self.shape = shape
        super().__init__(shape)


def absent(value: object) -> bool:
    """Procore's empty text means "nothing"; so do an empty list and an empty object."""
    return value is None or value == "" or value in ([], {})


def read(kind: type, exact: Any, value: object, *, join: bool = False, depth: int = 0) -> Value:
    """A value of this kind; None where there is none. Raises WrongShape.

    `exact` is what the quick reading takes; it never gives another result than this function.
    `join`: of many texts, all count; otherwise the first that can be read.
    """
    if absent(value):
        return None
    if isinstance(value, list | dict):
        if depth == DEEPEST:
            raise WrongShape(_expected(kind, value))
        if isinstance(value, list):
            return _of_many(kind, exact, value, join=join, depth=depth + 1)
        return _of_object(kind, exact, value, join=join, depth=depth + 1)
    if isinstance(value, str):  # no column can hold a NUL or half a surrogate pair
        value = value.replace("\0", "").encode("utf-8", "replace").decode()
    try:
        found = msgspec.convert(value, exact, strict=False)
    except msgspec.ValidationError:
        found = TOLERANT[kind](value)
    except (ValueError, OverflowError, ArithmeticError):
        raise WrongShape(_expected(kind, value)) from None
    if not in_range(found):
        raise WrongShape(f"{WORDS[kind]} out of range")
    return +found if isinstance(found, Decimal) else found


def in_range(value: Value) -> bool:
    """Whether a column can hold it."""
    if isinstance(value, Decimal):
        return SMALLEST < value.adjusted() < WHOLE_DIGITS and value.is_finite()
    if isinstance(value, date):  # a datetime is a date, too
        return value.year in YEARS
    return True


def _of_many(kind: type, exact: Any, values: list[Any], *, join: bool, depth: int) -> Value:
    found: list[Value] = []
    trouble: WrongShape | None = None
    for value in values:
        try:
            one = read(kind, exact, value, join=join, depth=depth)
        except WrongShape as error:
            trouble = error
            continue
        if one is not None:
            found.append(one)
    if not found:
        if trouble:
            raise trouble
        return None
    if join and kind is str:
        return text_within(", ".join(dict.fromkeys(map(str, found))), exact)
    return found[0]


def _of_object(kind: type, exact: Any, value: dict[str, Any], *, join: bool, depth: int) -> Value:
    for key in INSIDE[kind]:
        if not absent(inner := value.get(key)) and not isinstance(inner, dict):
            return read(kind, exact, inner, join=join, depth=depth)
    raise WrongShape(_expected(kind, value))


def text_within(text: str, exact: Any) -> str:
    """Raises WrongShape where it is longer than the column allows."""
    try:
        return msgspec.convert(text, exact)  # type: ignore[no-any-return]  # text, by `exact`
    except msgspec.ValidationError:
        raise WrongShape("text that is too long") from None


def _expected(kind: type, value: object) -> str:
    return f"{shape_of(value)} where {WORDS[kind]} was expected"


def _text(value: object) -> Value:
    if isinstance(value, str):
        raise WrongShape("text that is too long")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) and in_range(value) else str(value)[:60]
    raise WrongShape(_expected(str, value))


def _amount(value: object) -> Value:
    """Amount in text with separators and a currency; brackets or a final minus mean negative."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        raise WrongShape(_expected(Decimal, value))
    if _blank(value):
        return None
    text = _MARKS.sub("", value)
    below = text.startswith("(") and text.endswith(")")
    text = text.strip("()") if below else text
    if text.endswith("-"):
        text = "-" + text[:-1]
    text = _one_point(text)
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise WrongShape(_expected(Decimal, value)) from None
    return found.copy_negate() if below else found


def _one_point(text: str) -> str:
    """With only a decimal point; unchanged where its separators are ambiguous."""
    if _COMMAS.match(text):
        return text.replace(",", "")
    if _POINTS.match(text):
        return text.replace(".", "")
    if _COMMA_LAST.match(text):
        return text.replace(".", "").replace(",", ".")
    return text


def _whole(value: object) -> Value:
    number = value
    if isinstance(value, str):
        if _blank(value):
            return None
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            raise WrongShape(_expected(int, value)) from None
    if isinstance(number, Decimal):
        if not (number.is_finite() and number.adjusted() < WHOLE_DIGITS + 4):
            raise WrongShape("a number beyond 64 bits")
        if number != int(number):
            raise WrongShape(_expected(int, value))
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise WrongShape(_expected(int, value))
    if abs(number) > LARGEST_ID:
        raise WrongShape("a number beyond 64 bits")
    return number


def _yes_or_no(value: object) -> Value:
    word = value.strip().casefold() if isinstance(value, str) else str(value)
    if isinstance(value, str) and _blank(value):
        return None
    if word in TRUE | FALSE:
        return word in TRUE
    raise WrongShape(_expected(bool, value))


def _day(value: object) -> Value:
    """The day as written, whatever time follows: Procore's dates have no time zone."""
    if isinstance(value, str):
        if _blank(value):
            return None
        match = _DAY.match(value.strip())
        if match:
            try:
                return date(*map(int, match.groups()))
            except ValueError:
                raise WrongShape("a date that is none") from None
        raise WrongShape(_expected(date, value))
    return _of_unix(date, value).date()


def _moment(value: object) -> Value:
    """Without a zone it is UTC; a date alone means midnight."""
    if not isinstance(value, str):
        return _of_unix(datetime, value)
    if _blank(value):
        return None
    try:
        found = datetime.fromisoformat(value.strip().replace("/", "-").upper())
    except ValueError:
        raise WrongShape(_expected(datetime, value)) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _of_unix(kind: type, value: object) -> datetime:
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < WHOLE_DIGITS:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value if value in SECONDS else value // 1000
        if seconds in SECONDS:
            return datetime.fromtimestamp(seconds, UTC)
    raise WrongShape(_expected(kind, value))


def _blank(text: str) -> bool:
    return text.strip().casefold() in {"", "null"}


TOLERANT: dict[type, Callable[[Any], Value]] = {
    str: _text,
    int: _whole,
    Decimal: _amount,
    bool: _yes_or_no,
    date: _day,
    datetime: _moment,
}
