"""Records that exist but are not shown: lists that come back empty, shorter or denied.

Real lists do this where a permission is missing or a search index lags behind. The record ids
alone decide which records are hidden, so pages, filters and counts of a list agree.
"""

import fnmatch
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simulator.wild import elsewhere

Record = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """The lists that it applies to, the share of records they still show, or how they are denied.

    `by_id`: a hidden record is 404 by its id as well. `project_id` empty: in every project.
    """

    path: str
    keep: float = 0.0
    status: int = 200  # 404 and 403: the list is denied
    by_id: bool = False
    project_id: int | None = None

    def fits(self, path: str, project_id: str | None) -> bool:
        here = self.project_id is None or str(self.project_id) == project_id
        return here and fnmatch.fnmatch(path, self.path)

    def hides(self, record_id: object) -> bool:
        return zlib.crc32(f"{self.path}:{record_id}".encode()) % 1000 >= self.keep * 1000


class Hiding:
    """The rules of one simulator; none at the start."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def status(self, path: str, project_id: str | None) -> int:
        """The status that denies a list; 200 if none does."""
        found = (rule.status for rule in self.rules if rule.fits(path, project_id))
        return next((status for status in found if status != 200), 200)

    def shown(self, path: str, project_id: str | None, records: Iterable[Record]) -> list[Record]:
        rules = [r for r in self.rules if r.status == 200 and r.fits(path, project_id)]
        return [row for row in records if not any(rule.hides(row.get("id")) for rule in rules)]

    def knows(self, path: str, project_id: str | None) -> bool:
        """Whether a record is shown by its id: `path` is its list's path, a slash and the id."""
        listed, _, record_id = path.rpartition("/")
        return not any(
            rule.by_id and rule.fits(listed, project_id) and rule.hides(record_id)
            for rule in self.rules
        )


@elsewhere
def empty_without_permission() -> None:
    """a list whose tool the caller may not read comes back empty, and its records are 404"""


@elsewhere
def regions_apart() -> None:
    """each company but the first is in its own region, and a company list covers one region"""
