"""One page of a list, and the parameters that request it."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from integrations.procore.api.errors import EndlessList

Content = TypeVar("Content")

LARGEST_PAGE_V1 = 2000  # https://developers.procore.com/documentation/restful-api-concepts
LARGEST_PAGE_V2 = 100
LONGEST_NUMBER = 16  # digits of a header
MOST_PAGES = 10_000  # of one list, where Procore does not say how many there are


@dataclass(frozen=True)
class Page(Generic[Content]):
    """`content` is the decoder's result for the body."""

    content: Content
    total: int | None
    per_page: int
    more: bool


@dataclass
class ListGuard:
    """Guards one reading of one list against endless pages.

    We count pages ourselves, so no `Link` can lead us away; but a list may claim for ever that
    there is more. Rows that move between two pages repeat a few records, never a whole page.
    """

    seen: set[Hashable] = field(default_factory=set)

    def check(self, page: Page[Content], number: int, records: Iterable[Hashable]) -> None:
        """Raises EndlessList where another page would follow but this one brought nothing new."""
        if not page.more:
            return
        fresh = set(records) - self.seen
        beyond = page.total is not None and (number - 1) * page.per_page >= page.total
        if not fresh or beyond or number >= MOST_PAGES:
            raise EndlessList
        self.seen |= fresh


def largest_page(path: str) -> int:
    """The largest page that the operation's version allows."""
    return LARGEST_PAGE_V2 if path.split("/")[2].startswith("v2") else LARGEST_PAGE_V1


def standing_of(
    headers: Mapping[str, str], number: int, asked: int
) -> tuple[int | None, int, bool]:
    """Total, rows per page, and whether there are more; a malformed Link is corrected."""
    per_page = _number(headers.get("Per-Page", "")) or asked
    known = _number(headers.get("Total", ""))
    more = 'rel="next"' in headers.get("Link", "")
    return known, per_page, more or (known is not None and number * per_page < known)


def _number(text: str) -> int | None:
    """A number in a header; None where it is not a plausible one."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER else None


def between(begin: datetime, end: datetime) -> str:
    """A range for `filters[updated_at]`: both ends inclusive, to the second."""
    return f'"{_second(begin)}...{_second(end)}"'


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def flat(params: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        if isinstance(value, list | tuple):
            for part in value:
                yield name, str(part)
        elif value is not None:
            yield name, str(value)
