"""Records that are wrong in every way that JSON allows, by and against a schema.

These switches destroy data, so they do nothing until schemas arrive with `POST /control/wild`.
"""

import copy
import random
from typing import Any

from simulator.wild import AS_IT_IS, Spot, on_answer, on_record

SOME = 0.15
JUNK: tuple[Any, ...] = (
    None, "", " ", "n/a", "-", 0, -1, 7, 1.5, 1e308, 2**63, -(2**63) - 1, True, False, "true",
    "2026-13-45", "0000-00-00", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "1,23,4.5.6", "12 345,67", "$1,000.00", "(500.00)", "NaN", "Infinity",
    "nul\x00inside", "💥" * 50, [], {}, [None], [[]], [1, "x", {}], {"id": None}, {"": {"": []}},
)  # fmt: skip
# A readable id would name another record, so an id becomes only values that cannot be an id.
NO_IDS: tuple[Any, ...] = (
    None, "", "n/a", 0, -1, 1.5, 2**63, str(2**64), True, [], {}, [None], {"id": 0}, "7 8", "0x7",
)  # fmt: skip
# These say that a record is gone, so they get only values that say nothing.
GONE = {"deleted_at", "deleted", "in_recycle_bin"}
NOTHING: tuple[Any, ...] = (None, "", [], {}, False)
# These say what somebody may do, so they never get a value that allows more.
RIGHTS = "GET /rest/v1.0/settings/permissions"
NO_RIGHTS: tuple[Any, ...] = (
    None, "", "n/a", 0, [], {}, False, "false", ["false"], {"id": None}, "project_controls", "none",
)  # fmt: skip

Path = tuple[str | int, ...]


@on_record(SOME)
def wrong_values(record: dict[str, Any], spot: Spot, draw: random.Random) -> None:
    """With a schema: up to three values are missing, null or anything at all: they are lost."""
    if spot.schema is None:
        return
    places = [*_paths(record), *(path for path in _listed(spot.schema) if path[0] not in record)]
    for path in draw.sample(places, min(len(places), draw.randint(1, 3))):
        _spoil(record, path, spot, draw)


@on_answer
def strangers_in_lists(document: Any, spot: Spot) -> Any:
    """With a schema: a list contains things that are not records."""
    if spot.schema is None or not isinstance(document, list):
        return AS_IT_IS
    return [None, *document[:1], "text", 7, [], *document[1:], [[{}]], {}]


def _spoil(record: dict[str, Any], path: Path, spot: Spot, draw: random.Random) -> None:
    holder: Any = record
    for step in path[:-1]:
        if not _has(holder, step):
            return  # a step before was changed already
        holder = holder[step]
    last = path[-1]
    if _has(holder, last) and draw.random() < 0.2 and not _is_entry(holder, last):
        del holder[last]
    elif isinstance(holder, dict) or _has(holder, last):
        holder[last] = copy.deepcopy(draw.choice(_values(path, spot)))


def _values(path: Path, spot: Spot) -> tuple[Any, ...]:
    if spot.operation == RIGHTS:
        return NO_RIGHTS
    if path[-1] == "id" and (len(path) == 1 or isinstance(path[-2], int)):
        return NO_IDS
    if path[-1] in GONE:
        return NOTHING
    listed = _schema_at(spot.schema, path).get("enum", [])
    return (*JUNK, *listed)


def _has(holder: Any, step: str | int) -> bool:
    if isinstance(holder, dict):
        return step in holder
    return isinstance(holder, list) and isinstance(step, int) and step < len(holder)


def _is_entry(holder: Any, step: str | int) -> bool:
    """A record in a list within a record: removing it would be a deletion, not damage."""
    return isinstance(holder, list) and isinstance(holder[int(step)], dict)


def _paths(value: Any) -> list[Path]:
    """Paths of all values present."""
    found: list[Path] = []
    steps: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    for step, inner in steps:
        found += [(step,), *((step, *path) for path in _paths(inner))]
    return found


def _listed(schema: Any) -> list[Path]:
    """Paths that the schema lists: one level deep is enough; deeper values stay as they are."""
    return [(name,) for name in schema.get("properties", {})]


def _schema_at(schema: Any, path: Path) -> dict[str, Any]:
    for step in path:
        inner = (
            schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
        )
        schema = inner or {}
    return schema  # type: ignore[no-any-return]  # JSON
