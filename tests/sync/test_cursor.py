"""The window of a later sync loses nothing: late commits, equal stamps and clock differences."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from integrations.procore.sync.cursor import AHEAD, OVERLAP, advance, window

moments = st.datetimes(
    min_value=datetime.fromisoformat("2020-01-01"),
    max_value=datetime.fromisoformat("2030-01-01"),
    timezones=st.just(UTC),
)


@given(moments, moments, st.timedeltas(timedelta(0), OVERLAP))
def test_a_row_stamped_up_to_the_overlap_before_the_newest_is_read_again(
    newest: datetime, now: datetime, behind: timedelta
) -> None:
    begin, end = window(newest, now)
    assert begin <= newest - behind
    assert end >= newest


@given(moments, moments, st.timedeltas(timedelta(0), AHEAD))
def test_a_row_stamped_by_a_clock_ahead_of_ours_is_inside(
    newest: datetime, now: datetime, ahead: timedelta
) -> None:
    assert window(newest, now)[1] >= now + ahead


@given(st.lists(moments, min_size=1))
def test_the_cursor_never_goes_back(stamps: list[datetime]) -> None:
    cursor: datetime | None = None
    for stamp in stamps:
        moved = advance(cursor, stamp)
        assert moved is not None
        assert cursor is None or moved >= cursor
        cursor = moved
    assert cursor == max(stamps)
