"""Which lists are worth a call now: the order in which a company's calls are spent. Pure.

Procore grants few calls, so each goes first to what people look at. Open projects come first, then
those that change, then quiet ones; idle ones are polled once a day. A full reading of a list, which
proves that nothing was missed, happens once a day, at night where possible.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import IntEnum

Part = tuple[str, int]  # resource, project (0: the company)

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

STILL_OPEN = timedelta(minutes=30)  # after a page of the project was opened
OPENED_LATELY = timedelta(hours=24)
CHANGED_LATELY = timedelta(hours=24)
CHANGED_THIS_FORTNIGHT = timedelta(days=14)

PROOF_BY_DAY = timedelta(hours=24)  # between two full readings of a list
PROOF_BY_NIGHT = timedelta(hours=16)  # then the daily proofs run in the quiet hours
QUIET_FROM, QUIET_TO = 21, 6  # o'clock, in the time zone of the company's projects


class Use(IntEnum):
    """How much a project is in use; the lower, the earlier it is read."""

    OPEN = 0
    CHANGING = 1
    QUIET = 2
    IDLE = 3


# How old a project's data may become before it is polled again. With webhooks, events bring the
# changes, and a poll only finds what no event reported.
LOOKS_WITHOUT_HOOKS = {
    Use.OPEN: timedelta(minutes=20),
    Use.CHANGING: timedelta(hours=3),
    Use.QUIET: timedelta(hours=12),
    Use.IDLE: timedelta(hours=24),
}
LOOKS_WITH_HOOKS = {
    Use.OPEN: timedelta(hours=4),
    Use.CHANGING: timedelta(hours=12),
    Use.QUIET: timedelta(hours=24),
    Use.IDLE: timedelta(hours=24),
}
REFUSED_FOR = timedelta(days=1)
FIRST_RETRY, LAST_RETRY = timedelta(minutes=2), timedelta(hours=6)

FIGURES = frozenset({"budget_rows"})  # one call shows a project's whole cost by code
# What home and the exceptions count besides, of every project.
AT_A_GLANCE = frozenset({"rfis", "submittals", "change_events", "change_event_lines"})
COMPANY_LISTS = timedelta(hours=6)  # people, vendors, cost types: names shown beside records
PROJECT_LIST = timedelta(minutes=30)  # a new project is wanted soon


@dataclass(frozen=True)
class ListProgress:
    """How far a list has been read; None: never."""

    fresh_at: datetime | None = None
    full_at: datetime | None = None
    refused_at: datetime | None = None
    failed_at: datetime | None = None
    failures: int = 0

    @property
    def not_before(self) -> datetime:
        """A day after a refusal; after a fault, twice as long each time."""
        if self.refused_at:
            return self.refused_at + REFUSED_FOR
        if self.failed_at:
            doublings = min(max(self.failures - 1, 0), 16)
            return self.failed_at + min(FIRST_RETRY * (1 << doublings), LAST_RETRY)
        return NEVER


@dataclass(frozen=True)
class PlannedRead:
    """A list to read; `whole` where everything is read again as the daily proof."""

    part: Part
    whole: bool


def use_of(opened_at: datetime | None, changed_at: datetime | None, now: datetime) -> Use:
    if opened_at and now - opened_at < STILL_OPEN:
        return Use.OPEN
    opened = opened_at and now - opened_at < OPENED_LATELY
    if opened or (changed_at and now - changed_at < CHANGED_LATELY):
        return Use.CHANGING
    if changed_at and now - changed_at < CHANGED_THIS_FORTNIGHT:
        return Use.QUIET
    return Use.IDLE


def refused_lately(refused_at: datetime | None, now: datetime) -> bool:
    """Procore counts refusals against an app, so the same list is not requested again for a day."""
    return refused_at is not None and now - refused_at < REFUSED_FOR


def at_night(now: datetime, zone: tzinfo) -> bool:
    hour = now.astimezone(zone).hour
    return hour >= QUIET_FROM or hour < QUIET_TO


@dataclass(frozen=True)
class ReadingConditions:
    """What a company's polls depend on: use of its projects, whether it has a hook, the hour."""

    uses: Mapping[int, Use]
    hooked: bool
    night: bool
    pace: timedelta | None = None  # between polls of everything, where calls are not planned
    asked_at: datetime | None = None  # a person wants the changes until then

    def use(self, project: int) -> Use:
        """The company's own lists count as those of a project that changes."""
        return self.uses.get(project, Use.IDLE) if project else Use.CHANGING

    def due_at(self, part: Part, standing: ListProgress) -> datetime:
        """When the list is to be read next; long ago where it was never read."""
        if standing.fresh_at is None or self._asked(part, standing.fresh_at):
            return standing.not_before
        look = standing.fresh_at + self._wanted_age(part)
        return max(standing.not_before, min(look, self._proof_at(standing)))

    def proof_due(self, standing: ListProgress, now: datetime) -> bool:
        return self._proof_at(standing) <= now

    def _asked(self, part: Part, fresh_at: datetime) -> bool:
        """With few calls: only what is in use, and of the others what the budget shows."""
        if self.asked_at is None or fresh_at >= self.asked_at:
            return False
        everything = self.pace is not None
        return everything or self.use(part[1]) <= Use.CHANGING or part[0] in FIGURES

    def _proof_at(self, standing: ListProgress) -> datetime:
        if standing.full_at is None:
            return NEVER
        return standing.full_at + (PROOF_BY_NIGHT if self.night else PROOF_BY_DAY)

    def _wanted_age(self, part: Part) -> timedelta:
        resource, project = part
        if self.pace is not None:
            return self.pace
        if resource == "projects":
            return PROJECT_LIST
        if not project:
            return COMPANY_LISTS
        return (LOOKS_WITH_HOOKS if self.hooked else LOOKS_WITHOUT_HOOKS)[self.use(project)]


def looks(
    parts: Mapping[Part, ListProgress], day: ReadingConditions, now: datetime
) -> list[PlannedRead]:
    """What is due, most urgent first: by use of the project, then by how long it is due."""
    due = {part: day.due_at(part, standing) for part, standing in parts.items()}
    wanted = sorted((p for p in parts if due[p] <= now), key=lambda p: (day.use(p[1]), due[p], p))
    return [PlannedRead(part, day.proof_due(parts[part], now)) for part in wanted]


def next_due(parts: Mapping[Part, ListProgress], day: ReadingConditions, now: datetime) -> datetime:
    """The earliest time at which one of them is due."""
    moments = [day.due_at(part, standing) for part, standing in parts.items()]
    return max(now, min(moments, default=now + PROJECT_LIST))


def in_order_of_use(projects: Iterable[int], uses: Mapping[int, Use]) -> list[int]:
    return sorted(projects, key=lambda key: (uses.get(key, Use.IDLE), key))
