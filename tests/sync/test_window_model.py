"""Incremental syncs against a model of Procore's clock and commits: no change is missed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from integrations.procore.sync import cursor

BEGIN = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATEST_COMMIT = cursor.OVERLAP  # the latest that a row becomes visible after its stamp
MOST_AHEAD = timedelta(hours=12)  # of Procore's clock against ours, either way


class SyncsOfAChangingList(RuleBasedStateMachine):
    """People write rows, some of which are committed late; each sync reads one window."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.skew = timedelta(0)
        self.visible: dict[int, tuple[datetime, int]] = {}
        self.pending: list[tuple[datetime, int, datetime, int]] = []
        self.mirror: dict[int, tuple[datetime, int]] = {}
        self.updated_to: datetime | None = None
        self.version = 0

    @initialize(ahead=st.integers(-1, 1))
    def set_clocks(self, ahead: int) -> None:
        self.skew = MOST_AHEAD * ahead

    @property
    def stamp(self) -> datetime:
        """Procore's stamp, in whole seconds, so that many rows share one."""
        return (self.now + self.skew).replace(microsecond=0)

    @rule(key=st.integers(1, 6), late=st.sampled_from([0, 0, 1, 30, 119]))
    def write(self, key: int, late: int) -> None:
        """A row in an open transaction is locked until the commit."""
        if any(waiting == key for _, waiting, _, _ in self.pending):
            return
        self.version += 1
        seen_from = self.now + timedelta(seconds=late)
        self.pending.append((seen_from, key, self.stamp, self.version))
        self._commit()

    @rule(seconds=st.sampled_from([0.2, 1, 5, 60, 7200]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._commit()

    @rule()
    def sync(self) -> None:
        rows = self.visible
        if self.updated_to is not None:
            begin, end = cursor.window(self.updated_to, self.now)
            rows = {key: row for key, row in rows.items() if begin <= row[0] <= end}
        self.mirror |= rows
        for stamp, _ in rows.values():
            self.updated_to = cursor.advance(self.updated_to, stamp)

    @rule()
    def sync_when_all_is_committed(self) -> None:
        self.wait(LATEST_COMMIT.total_seconds())
        self.sync()
        assert self.mirror == self.visible

    @invariant()
    def nothing_is_invented(self) -> None:
        assert self.mirror.keys() <= self.visible.keys()

    def _commit(self) -> None:
        ripe = [entry for entry in self.pending if entry[0] <= self.now]
        self.pending = [entry for entry in self.pending if entry[0] > self.now]
        for _, key, stamp, version in ripe:
            self.visible[key] = (stamp, version)


MANY = settings(max_examples=150, stateful_step_count=40, deadline=None, database=None)

TestSyncsOfAChangingList = SyncsOfAChangingList.TestCase
TestSyncsOfAChangingList.settings = MANY


def a_late_commit_behind_a_later_stamp() -> None:
    """Row 1 is stamped first and committed last; in between, a sync has advanced to row 2."""
    syncs = SyncsOfAChangingList()
    syncs.set_clocks(ahead=0)
    syncs.write(key=1, late=60)
    syncs.wait(5)
    syncs.write(key=2, late=0)
    syncs.sync()
    syncs.sync_when_all_is_committed()


def test_a_late_commit_behind_a_later_stamp_is_found() -> None:
    a_late_commit_behind_a_later_stamp()


def test_without_the_overlap_a_row_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursor, "OVERLAP", timedelta(0))
    with pytest.raises(AssertionError):
        a_late_commit_behind_a_later_stamp()
