"""Records that Procore lists within other records: the lines of change events."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from integrations.procore.api.envelopes import list_of, parsed

GIVEN = ("updated_at", "deleted_at", "currency_configuration")  # by the record that holds them
Content = TypeVar("Content")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def within(decode: Callable[[bytes], Content], key: str) -> Callable[[bytes], Content]:
    """A decoder of pages whose records stand under `key` of those listed."""
    return lambda body: decode(_flattened(body, key))


def _flattened(body: bytes, key: str) -> bytes:
    """Raises msgspec.DecodeError, NotTheShape."""
    rows = list_of(parsed(body))
    return _encode([_filled(line, row) for row in rows for line in _lines(row, key)])


def _lines(row: object, key: str) -> list[object]:
    """Where the list is missing or null, nobody knows which lines there are: an unreadable one."""
    if not isinstance(row, dict) or row.get(key) is None:
        return [{}]
    lines = row[key]
    return lines if isinstance(lines, list) else [lines]


def _filled(line: object, row: object) -> object:
    if not isinstance(line, dict) or not isinstance(row, dict):
        return line
    given = {name: row[name] for name in GIVEN if name in row}
    return {"event_id": row.get("id"), **given, **line}
