"""Numerals of an estimate to exact Decimals. Pure."""

import re
from decimal import Decimal

PLAIN = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?")


class NotANumber(ValueError):
    """The text is no number that can be read with certainty."""


def number(text: str) -> Decimal | None:
    """1,234.50 and $1,234.50, (123.45) and 123.45- as negative.

    Blank is None. Raises NotANumber.
    """
    raw = text.strip()
    if not raw:
        return None
    negative = (raw.startswith("(") and raw.endswith(")")) or raw.endswith("-")
    bare = raw.strip("()").removesuffix("-").replace("$", "").strip()
    if not bare or not any(c.isdigit() for c in bare) or not PLAIN.fullmatch(bare):
        raise NotANumber(text)
    value = Decimal(bare.replace(",", ""))
    return -value if negative else value
