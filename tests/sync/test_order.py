"""The order in which a company's calls are spent: tables and properties of the pure part."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.procore.sync.order import (
    FIRST_RETRY,
    LAST_RETRY,
    LOOKS_WITH_HOOKS,
    LOOKS_WITHOUT_HOOKS,
    PROOF_BY_DAY,
    REFUSED_FOR,
    ListProgress,
    ReadingConditions,
    Use,
    at_night,
    in_order_of_use,
    looks,
    next_due,
    use_of,
)

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
read = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3)).map(lambda age: NOW - age)


def standing(age: timedelta, **changes: object) -> ListProgress:
    return ListProgress(**{"fresh_at": NOW - age, "full_at": NOW - age, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("opened", "changed", "use"),
    [
        (timedelta(minutes=5), None, Use.OPEN),
        (timedelta(hours=2), None, Use.CHANGING),
        (None, timedelta(hours=2), Use.CHANGING),
        (timedelta(days=3), timedelta(days=3), Use.QUIET),
        (None, timedelta(days=60), Use.IDLE),
        (None, None, Use.IDLE),
    ],
)
def test_a_project_counts_as_it_is_used(
    opened: timedelta | None, changed: timedelta | None, use: Use
) -> None:
    def ago(age: timedelta | None) -> datetime | None:
        return None if age is None else NOW - age

    assert use_of(ago(opened), ago(changed), NOW) is use


def test_the_open_project_comes_first_whatever_else_is_older() -> None:
    day = ReadingConditions({1: Use.IDLE, 2: Use.OPEN, 3: Use.CHANGING}, hooked=False, night=False)
    parts = {("rfis", key): standing(timedelta(days=5 - key)) for key in (1, 2, 3)}
    assert [look.part[1] for look in looks(parts, day, NOW)] == [2, 3, 1]


def test_what_was_never_read_comes_before_what_is_old() -> None:
    day = ReadingConditions({1: Use.QUIET}, hooked=False, night=False)
    parts = {("rfis", 1): standing(timedelta(days=2)), ("submittals", 1): ListProgress()}
    assert [look.part[0] for look in looks(parts, day, NOW)] == ["submittals", "rfis"]


@pytest.mark.parametrize("use", list(Use))
@pytest.mark.parametrize("hooked", [False, True])
def test_a_list_is_looked_at_when_it_is_as_old_as_its_use_allows(use: Use, *, hooked: bool) -> None:
    age = (LOOKS_WITH_HOOKS if hooked else LOOKS_WITHOUT_HOOKS)[use]
    day = ReadingConditions({1: use}, hooked=hooked, night=False)
    younger = {("rfis", 1): standing(age - MINUTE, full_at=NOW)}
    older = {("rfis", 1): standing(age + MINUTE, full_at=NOW)}
    assert looks(younger, day, NOW) == []
    assert [look.whole for look in looks(older, day, NOW)] == [False]
    assert next_due(younger, day, NOW) == NOW + MINUTE


def test_nothing_goes_a_day_without_a_proof() -> None:
    day = ReadingConditions({1: Use.OPEN}, hooked=True, night=False)
    parts = {("rfis", 1): standing(timedelta(0), full_at=NOW - PROOF_BY_DAY)}
    assert [look.whole for look in looks(parts, day, NOW)] == [True]


def test_proofs_are_made_in_the_quiet_hours_of_the_projects() -> None:
    chicago = ZoneInfo("America/Chicago")
    assert at_night(datetime(2026, 3, 10, 8, 0, tzinfo=UTC), chicago)  # 3 in the morning there
    assert not at_night(NOW, chicago)
    parts = {("rfis", 1): standing(timedelta(0), full_at=NOW - timedelta(hours=18))}
    by_day, by_night = (ReadingConditions({}, hooked=True, night=night) for night in (False, True))
    assert looks(parts, by_day, NOW) == []
    assert [look.whole for look in looks(parts, by_night, NOW)] == [True]


def test_a_refused_list_is_left_alone_for_a_day_and_a_failing_one_ever_longer() -> None:
    refused = ListProgress(refused_at=NOW)
    assert refused.not_before == NOW + REFUSED_FOR
    waits = [ListProgress(failed_at=NOW, failures=n).not_before - NOW for n in range(1, 30)]
    assert waits[0] == FIRST_RETRY
    assert waits == sorted(waits)
    assert waits[-1] == LAST_RETRY


def test_sync_now_spends_few_calls_where_they_are_planned() -> None:
    day = ReadingConditions({1: Use.CHANGING, 2: Use.IDLE}, hooked=True, night=False, asked_at=NOW)
    parts = {(name, key): standing(MINUTE) for name in ("rfis", "budget_rows") for key in (1, 2)}
    found = {look.part for look in looks(parts, day, NOW)}
    assert found == {("rfis", 1), ("budget_rows", 1), ("budget_rows", 2)}
    unplanned = ReadingConditions(
        day.uses, hooked=True, night=False, asked_at=NOW, pace=timedelta(hours=1)
    )
    assert {look.part for look in looks(parts, unplanned, NOW)} == set(parts)


# On a busy machine examples are slow to generate, which says nothing about the order.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["rfis", "budget_rows", "submittals"]), st.integers(1, 9)),
        st.builds(ListProgress, fresh_at=read, full_at=read) | st.just(ListProgress()),
    ),
    st.dictionaries(st.integers(1, 9), st.sampled_from(list(Use))),
    st.sampled_from([(True, True), (True, False), (False, True), (False, False)]),
)
def test_a_look_is_due_exactly_when_the_company_is(
    parts: dict[tuple[str, int], ListProgress],
    uses: dict[int, Use],
    hook_and_night: tuple[bool, bool],
) -> None:
    """Otherwise a worker would wake for nothing forever, or never."""
    hooked, night = hook_and_night
    day = ReadingConditions(uses, hooked=hooked, night=night)
    found = looks(parts, day, NOW)
    assert bool(found) == (bool(parts) and next_due(parts, day, NOW) <= NOW)
    assert [uses.get(look.part[1], Use.IDLE) for look in found] == sorted(
        uses.get(look.part[1], Use.IDLE) for look in found
    )


def test_projects_are_read_in_the_order_of_their_use() -> None:
    uses = {1: Use.IDLE, 2: Use.CHANGING, 3: Use.OPEN}
    assert in_order_of_use([1, 2, 3, 4], uses) == [3, 2, 1, 4]
