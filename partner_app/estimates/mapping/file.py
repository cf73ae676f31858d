"""The operator's mapping file: item codes, exact or by prefix, to WBS codes. Pure."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from partner_app.estimates.errors import MappingUnreadable
from partner_app.tabular.numbers import NotANumber, number

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Share:
    wbs_code: str
    percent: Decimal


@dataclass(frozen=True)
class MappingRules:
    """Patterns as in the file: `105-06845`, or `105*` for everything that begins with 105."""

    shares: Mapping[str, tuple[Share, ...]]

    @cached_property
    def _lengths(self) -> list[int]:
        """Lengths of the prefixes, longest first."""
        found = {len(pattern) - 1 for pattern in self.shares if pattern.endswith("*")}
        return sorted(found, reverse=True)

    def for_code(self, item_code: str) -> tuple[tuple[Share, ...], str]:
        """The shares and the pattern that matched.

        An exact code has priority over any prefix, a longer prefix over a shorter one.
        """
        if item_code in self.shares:
            return self.shares[item_code], item_code
        for length in self._lengths:
            pattern = item_code[:length] + "*"
            if length <= len(item_code) and pattern in self.shares:
                return self.shares[pattern], pattern
        return (), ""


def read_rules(content: bytes) -> MappingRules:
    """Raises MappingUnreadable with the row number."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MappingUnreadable(row=1, reason="the file is not UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not {"item_code", "wbs_code"} <= set(reader.fieldnames or ()):
        raise MappingUnreadable(row=1, reason="the header must have item_code and wbs_code")
    found: dict[str, list[Share]] = defaultdict(list)
    last: dict[str, int] = {}
    for cells in reader:
        row = reader.line_num
        pattern, code = (cells["item_code"] or "").strip(), (cells["wbs_code"] or "").strip()
        if not pattern or not code:
            raise MappingUnreadable(row=row, reason="item_code and wbs_code must both be given")
        try:
            percent = number((cells.get("percent") or "").removesuffix("%"))
        except NotANumber:
            raise MappingUnreadable(row=row, reason="percent is not a number") from None
        found[pattern].append(Share(code, HUNDRED if percent is None else percent))
        last[pattern] = row
    for pattern, shares in found.items():
        total = sum(share.percent for share in shares)
        if total != HUNDRED:
            reason = f"the shares of {pattern} add up to {total} percent, not 100"
            raise MappingUnreadable(row=last[pattern], reason=reason)
    return MappingRules({pattern: tuple(shares) for pattern, shares in found.items()})
