"""Single values of Procore's JSON, read leniently. Pure; nothing here raises."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

LARGEST_ID = 2**63 - 1  # a signed 64-bit column
DIGITS = 25  # of text that may be an id, leading zeros included


def record_id(value: object) -> int | None:
    """A usable id, from a number or text; None where there is none."""
    if isinstance(value, str):
        text = value.strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) < DIGITS else 0
    elif isinstance(value, Decimal | float):
        fits = 0 < value <= LARGEST_ID  # false for NaN too
        number = int(value) if fits and value == int(value) else 0
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        number = 0
    return number if 0 < number <= LARGEST_ID else None


def yes_or_no(value: object) -> bool | None:
    """None where it is neither."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    return True if word in {"true", "1", "yes"} else False if word in {"false", "0", "no"} else None


def names_by_id(rows: Iterable[Mapping[str, object]]) -> dict[int, str]:
    """Names of records by id; records without a usable id are left out."""
    return {key: text_of(row.get("name")) for row in rows if (key := record_id(row.get("id")))}


def text_of(value: object) -> str:
    """Text, or a number as text; empty for anything else."""
    if isinstance(value, str):
        return value.replace("\0", "")
    return "" if isinstance(value, bool) or not isinstance(value, int | Decimal) else str(value)
