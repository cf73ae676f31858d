"""Concurrent requests are done in one batch, and each caller gets its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from partner_app.core.group_commit import GroupCommit


class Doubling:
    """Work whose first round waits, so that more requests arrive meanwhile."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.go = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.rounds.append(list(items))
        if len(self.rounds) == 1:
            await self.go.wait()
        if 13 in items:
            raise ValueError("13")
        if 99 in items:
            raise OSError("99")
        return [2 * item for item in items]


async def asked_at_once(
    together: GroupCommit[int, int], work: Doubling, numbers: Sequence[int]
) -> dict[int, "asyncio.Task[int]"]:
    """All of `numbers` arrive while the first request, for 0, is in progress."""
    asked = {number: asyncio.create_task(ask(together, number)) for number in (0, *numbers)}
    await asyncio.sleep(0.01)
    assert work.rounds == [[0]]
    work.go.set()
    await asyncio.wait(asked.values(), timeout=10)
    return asked


async def ask(together: GroupCommit[int, int], number: int) -> int:
    if number:
        await asyncio.sleep(0.001)
    return await together(number)


def test_those_who_come_while_one_works_are_done_in_one_round() -> None:
    async def check() -> None:
        work = Doubling()
        found = await asked_at_once(GroupCommit(work), work, range(1, 9))
        assert [each.result() for each in found.values()] == [2 * number for number in range(9)]
        assert [sorted(items) for items in work.rounds] == [[0], list(range(1, 9))]

    asyncio.run(check())


def test_an_error_belongs_to_its_item_alone() -> None:
    async def check() -> None:
        work = Doubling()
        together = GroupCommit(work, each_alone=(ValueError,))
        found = await asked_at_once(together, work, (1, 13, 2))
        assert [found[number].result() for number in (0, 1, 2)] == [0, 2, 4]
        with pytest.raises(ValueError, match="13"):
            found[13].result()
        assert await together(5) == 10

    asyncio.run(check())


def test_a_failure_of_the_place_is_not_tried_again_for_each() -> None:
    async def check() -> None:
        work = Doubling()
        found = await asked_at_once(GroupCommit(work, each_alone=(ValueError,)), work, (1, 99, 2))
        for number in (1, 99, 2):
            with pytest.raises(OSError, match="99"):
                found[number].result()
        assert len(work.rounds) == 2

    asyncio.run(check())


def test_many_lose_nothing_and_a_round_has_an_end() -> None:
    async def check() -> None:
        work = Doubling()
        work.go.set()
        together = GroupCommit(work, most=50)
        found = await asyncio.gather(*(ask(together, number) for number in range(200, 700)))
        assert found == [2 * number for number in range(200, 700)]
        assert max(map(len, work.rounds)) == 50

    asyncio.run(check())


def test_whoever_has_gone_is_left_out() -> None:
    async def check() -> None:
        work = Doubling()
        together = GroupCommit(work)
        first = asyncio.create_task(together(0))
        gone = asyncio.create_task(together(1))
        stays = asyncio.create_task(together(2))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.sleep(0)
        work.go.set()
        assert [await first, await stays] == [0, 4]
        assert work.rounds == [[0, 1, 2]] or work.rounds == [[0], [2]]

    asyncio.run(check())
