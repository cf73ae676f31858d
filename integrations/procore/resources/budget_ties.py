"""Ties older budget rows, which name no WBS code, to one by cost code and cost type. Pure.

Procore writes a WBS code as its segments in the company's order, joined by dots. A row names its
cost code, its cost type and, in a sub job, the sub job. Where these match no code, or more than
one, the row stays untied.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.procore.resources.budget_columns import plain

Segments = tuple[str, ...]


@dataclass(frozen=True)
class OldRow:
    """`cost_code` as Procore shows it, "01-011 - Concrete"; `biller`: the project or sub job."""

    id: int
    cost_code: str
    category: str
    category_id: int | None = None
    biller: str = ""


@dataclass(frozen=True)
class CostTypes:
    """A company's cost types: their codes by Procore's id, and by name or code."""

    by_id: Mapping[int, str]
    by_name: Mapping[str, str]

    def code_of(self, row: OldRow) -> str:
        """Empty where the row's type is unknown."""
        found = self.by_id.get(row.category_id or 0)
        return found or self.by_name.get(plain(row.category), "")


def cost_types_in(rows: Iterable[tuple[int, str, str]]) -> CostTypes:
    """Built from the id, code and name of each."""
    found = list(rows)
    names = {plain(name): code for _, code, name in found}
    return CostTypes(
        {key: code for key, code, _ in found}, names | {plain(c): c for _, c, _ in found}
    )


def code_in(text: str) -> str:
    """The code before a name."""
    return text.split(" - ", 1)[0].strip().upper()


def tie(
    rows: Iterable[OldRow], codes: Iterable[tuple[int, str]], types: CostTypes
) -> dict[int, int]:
    """WBS code by row, of the rows that can be tied. `codes`: id and flat code of each."""
    index: dict[str, list[tuple[int, Segments]]] = defaultdict(list)
    for key, flat_code in codes:
        for run, rest in _readings(flat_code):
            index[run].append((key, rest))
    found = {}
    for row in rows:
        code, kind = code_in(row.cost_code), types.code_of(row).upper()
        if code and kind:
            fitting = [(key, rest) for key, rest in index[code] if kind in rest]
            if one := _single(fitting, kind, code_in(row.biller)):
                found[row.id] = one
    return found


def may_hold(rows: Iterable[OldRow], flat_codes: Iterable[str]) -> frozenset[str]:
    """The codes that untied rows may belong to: those with the same cost code."""
    wanted = {code_in(row.cost_code) for row in rows}
    if not wanted:
        return frozenset()
    return frozenset(
        flat_code
        for flat_code in flat_codes
        if any(run in wanted for run, _rest in _readings(flat_code))
    )


def _single(fitting: list[tuple[int, Segments]], kind: str, biller: str) -> int | None:
    """The only match; of several, the one in the row's sub job, else the one outside any."""
    if len(fitting) > 1:
        inside = [(key, rest) for key, rest in fitting if biller and biller in rest]
        fitting = inside or [(key, rest) for key, rest in fitting if rest == (kind,)]
    return fitting[0][0] if len({key for key, _ in fitting}) == 1 else None


def _readings(flat_code: str) -> Iterable[tuple[str, Segments]]:
    """Every run of segments that may be the cost code (which may hold dots), and the rest."""
    parts = tuple(part.strip().upper() for part in flat_code.split("."))
    for begin in range(len(parts)):
        for end in range(begin + 1, len(parts) + 1):
            yield ".".join(parts[begin:end]), parts[:begin] + parts[end:]
