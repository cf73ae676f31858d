"""One page of a list, and how a list is asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

Row = dict[str, Any]  # as decoded; `Any` ends with its reader
Content = TypeVar("Content")

LARGEST_PAGE_V1 = 2000  # [restful_api_concepts]
LARGEST_PAGE_V2 = 100


@dataclass(frozen=True)
class Page(Generic[Content]):
    """`content` is what the decoder made of the body."""

    content: Content
    total: int | None
    per_page: int
    more: bool


def largest_page(path: str) -> int:
    """As large as the operation's version allows."""
    return LARGEST_PAGE_V2 if path.split("/")[2].startswith("v2") else LARGEST_PAGE_V1


def standing_of(
    headers: Mapping[str, str], number: int, asked: int
) -> tuple[int | None, int, bool]:
    """Total, rows a page, and whether there are more; a Link that is not one is made good."""
    total, cut = headers.get("Total", ""), headers.get("Per-Page", "")
    per_page = int(cut) if cut.isdigit() and int(cut) else asked
    known = int(total) if total.isdigit() else None
    more = 'rel="next"' in headers.get("Link", "")
    return known, per_page, more or (known is not None and number * per_page < known)


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
