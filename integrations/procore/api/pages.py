"""One page of a list, and how a list is asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]  # as decoded; `Any` ends at resources.source

LARGEST_PAGE_V1 = 2000  # [restful_api_concepts]
LARGEST_PAGE_V2 = 100


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    total: int | None
    more: bool


def between(begin: datetime, end: datetime) -> str:
    """A range for `filters[updated_at]`: both ends inclusive, to the second."""
    return f'"{_second(begin)}...{_second(end)}"'


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rows_of(body: object, version: str) -> list[Row]:
    """Unwraps v2's envelope. Raises TypeError where the body is not a list of objects."""
    rows = body.get("data") if version.startswith("v2") and isinstance(body, dict) else body
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TypeError("not a list of records")
    return rows


def flat(params: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        if isinstance(value, list | tuple):
            for part in value:
                yield name, str(part)
        elif value is not None:
            yield name, str(value)
