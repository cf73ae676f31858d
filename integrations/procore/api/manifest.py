"""Reads Procore's permission manifest; what it does not prove is denied.

`GET /rest/v1.0/settings/permissions` returns tools, each with a level and granular permissions.
Names and levels are compared by their letters alone, so case and spelling do not matter. Nothing
here raises, whatever the body is; what was not understood is listed, so that a page can show it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

PATH = "/rest/v1.0/settings/permissions"


class Level(IntEnum):
    """Ordered: a higher level includes the lower ones. Names as in operations.Access."""

    NONE = 0
    READ = 1
    STANDARD = 2
    ADMIN = 3

    @property
    def label(self) -> str:
        return ("None", "Read-Only", "Standard", "Admin")[self]


LEVELS = {
    "none": Level.NONE,
    "noaccess": Level.NONE,
    "read": Level.READ,
    "readonly": Level.READ,
    "standard": Level.STANDARD,
    "admin": Level.ADMIN,
    "administrator": Level.ADMIN,
}

# Names of tools in Procore's web addresses that differ from those in its documentation.
ALIASES = {
    "rfi": "rfis",
    "submittal": "submittals",
    "submittallog": "submittals",
    "submittallogs": "submittals",
    "changeevent": "changeevents",
    "commitment": "commitments",
    "budgets": "budget",
    "budgeting": "budget",
    "directcost": "directcosts",
    "observation": "observations",
    "punch": "punchlist",
    "punchlists": "punchlist",
    "punchitems": "punchlist",
    "companyadmin": "admin",
}

# Procore's pages name this granular permission in two ways, and its API name is not documented
# [Import a Budget, Budget permissions]. Each of them is enough to change original amounts.
EDIT_ORIGINAL_BUDGET = (
    "Create and Edit Original Budget Amount",
    "Create and Edit Original Budget Amounts",
    "Create Edit Original Budget Amount",
    "Edit Original Budget Amount",
    "Modify Original Budget Amount",
    "Modify Original Budget Amounts",
)


@dataclass(frozen=True)
class ToolRight:
    """`actions`: granular permissions, by the letters of their names."""

    level: Level = Level.NONE
    actions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Unclear:
    """What was not understood; `tool` is empty where it is the whole manifest."""

    tool: str
    what: str


@dataclass(frozen=True)
class Manifest:
    """Accepts any spelling: `level("Punch List")` equals `level("punch_list")`."""

    tools: Mapping[str, ToolRight] = field(default_factory=dict)  # by the letters of their names
    unclear: tuple[Unclear, ...] = ()

    def level(self, tool: str) -> Level:
        return self._right(tool).level

    def allows(self, tool: str, *names: str) -> bool:
        """Whether one of these granular permissions is given and the tool is open at all."""
        right = self._right(tool)
        return right.level > Level.NONE and any(letters(name) in right.actions for name in names)

    @property
    def edits_budget(self) -> bool:
        """Whether original amounts may be changed: Budget Admin, or the granular permission."""
        return self.level("budget") is Level.ADMIN or self.allows("budget", *EDIT_ORIGINAL_BUDGET)

    def understood(self, tool: str) -> bool:
        """False where the level of the tool, or the manifest itself, could not be read."""
        return not any(each.tool in {"", key_of(tool)} for each in self.unclear)

    def _right(self, tool: str) -> ToolRight:
        return self.tools.get(key_of(tool), ToolRight())


def letters(name: object) -> str:
    """Makes `Read Only`, `read_only` and `READ-ONLY` equal."""
    return re.sub(r"[\W_]", "", name).casefold() if isinstance(name, str) else ""


def key_of(tool: object) -> str:
    name = letters(tool)
    return ALIASES.get(name, name)


def read_manifest(body: object) -> Manifest:
    """Never raises."""
    unclear: list[Unclear] = []
    entries = list(_entries(body, unclear))
    levels = _levels_by_id(entry for _, entry in entries)
    found: dict[str, ToolRight] = {}
    for tool, entry in entries:
        right = _right_of(tool, entry, levels, unclear)
        if tool in found and found[tool] != right:
            unclear.append(Unclear(tool, "it is named twice, with different rights"))
            former = found[tool]
            right = ToolRight(min(former.level, right.level), former.actions & right.actions)
        found[tool] = right
    return Manifest(found, tuple(dict.fromkeys(unclear)))


def _entries(body: object, unclear: list[Unclear]) -> Iterator[tuple[str, object]]:
    """Each tool by its key, with its entry: from a list, or from a mapping by name."""
    inner = body.get("data", body) if isinstance(body, dict) else body
    tools = inner.get("tools") if isinstance(inner, dict) else inner
    if isinstance(tools, dict):
        yield from ((key_of(name), entry) for name, entry in tools.items() if key_of(name))
        return
    if not isinstance(tools, list):
        unclear.append(Unclear("", "it has no list of tools"))
        return
    for entry in tools:
        named = entry if isinstance(entry, dict) else {}
        key = key_of(named.get("name")) or key_of(named.get("friendly_name"))
        if key:
            yield key, entry
        else:
            unclear.append(Unclear("", "a tool in it has no name"))


def _levels_by_id(entries: Iterable[object]) -> dict[str, Level]:
    """Procore does not document its level ids: only the meanings that the manifest shows count."""
    seen: dict[str, set[Level]] = defaultdict(set)
    for entry in entries:
        level = _stated(entry)
        if isinstance(level, dict) and (key := _id_of(level.get("id"))):
            known = LEVELS.get(letters(level.get("name")))
            if known is not None:
                seen[key].add(known)
    return {key: next(iter(levels)) for key, levels in seen.items() if len(levels) == 1}


def _right_of(
    tool: str, entry: object, by_id: Mapping[str, Level], unclear: list[Unclear]
) -> ToolRight:
    level = _level_of(_stated(entry), by_id)
    if level is None:
        unclear.append(Unclear(tool, "its level of access is not a known one"))
        return ToolRight()
    if level and isinstance(entry, dict) and _says_no(entry.get("available_for_user")):
        unclear.append(Unclear(tool, "it has a level of access and is not available"))
        return ToolRight()
    return ToolRight(level, frozenset(_actions(tool, entry, unclear)))


def _level_of(stated: object, by_id: Mapping[str, Level]) -> Level | None:
    """A name has priority over an id: an id beside an unknown name proves nothing."""
    name = stated.get("name") if isinstance(stated, dict) else stated
    if (known := LEVELS.get(letters(name))) is not None:
        return known
    if isinstance(stated, dict) and not letters(name):
        return by_id.get(_id_of(stated.get("id")) or _id_of(name))
    return by_id.get(_id_of(name))


def _stated(entry: object) -> object:
    if not isinstance(entry, dict):
        return entry
    names = ("user_access_level", "access_level", "level")
    stated = next((entry[name] for name in names if name in entry), None)
    # A list of one entry is clear; of several levels, none is known to count.
    return stated[0] if isinstance(stated, list) and len(stated) == 1 else stated


def _id_of(value: object) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole else value.strip() if isinstance(value, str) else ""


def _actions(tool: str, entry: object, unclear: list[Unclear]) -> Iterator[str]:
    """By name and by label: pages use a permission's label, the API another name."""
    given = entry.get("permitted_actions") if isinstance(entry, dict) else None
    if isinstance(given, dict) and isinstance(given.get("action_name", given.get("label")), str):
        given = [given]  # a single one, without a list around it
    elif isinstance(given, dict):
        given = [name for name, value in given.items() if value is True or letters(value) == "true"]
    if not isinstance(given, list | None):
        unclear.append(Unclear(tool, "its granular permissions are not a list"))
        return
    for action in given or ():
        names = (action.get("action_name"), action.get("label")) if isinstance(action, dict) else ()
        yield from filter(None, map(letters, names or (action,)))


def _says_no(value: object) -> bool:
    return value is False or value == 0 or letters(value) in {"false", "no", "0"}
