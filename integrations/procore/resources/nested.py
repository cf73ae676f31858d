"""Records that Procore lists within other records: the lines of change events."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from integrations.procore.api.envelopes import list_of, parsed
from integrations.procore.api.values import record_id

GIVEN = ("updated_at", "deleted_at", "currency_configuration")  # from the holding record
HOLDER = "event_id"  # the column that names the holding record
Content = TypeVar("Content")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def within(decode: Callable[[bytes], Content], key: str) -> Callable[[bytes], Content]:
    """A decoder for pages whose records are under `key` of the listed ones."""
    return lambda body: decode(_flattened(body, key))


def _flattened(body: bytes, key: str) -> bytes:
    """Raises msgspec.DecodeError, NotTheShape."""
    rows = list_of(parsed(body))
    return _encode([_filled(line, row) for row in rows for line in _lines(row, key)])


def _lines(row: object, key: str) -> list[object]:
    """Where the list is missing or null, the lines are unknown: it counts as unreadable."""
    if not isinstance(row, dict) or row.get(key) is None:
        return [{}]
    lines = row[key]
    return lines if isinstance(lines, list) else [lines]


def _filled(line: object, row: object) -> object:
    """The holding record is known from the line's place; what the line itself says may be wrong."""
    if not isinstance(line, dict) or not isinstance(row, dict):
        return line
    given = {name: row[name] for name in GIVEN if name in row}
    holder = record_id(row.get("id"))
    return {**given, **line, **({HOLDER: holder} if holder else {})}
