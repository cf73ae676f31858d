"""Groups work that many want at the same time, so that the database commits once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GroupCommit(Generic[Item, Answer]):
    """One round of `work` at a time; calls that arrive meanwhile join the next [group commit].

    `work` gives one answer per item. Where it fails with one of `each_alone`, which some item
    caused, each item is tried alone; any other failure applies to the whole round. Belongs to one
    event loop.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        each_alone: tuple[type[Exception], ...] = (),
        most: int = 500,
    ) -> None:
        self.work, self.each_alone, self.most = work, each_alone, most
        self.waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self.rounds: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        """Returns after `work` has ended. Raises what it raised for this item."""
        own = asyncio.get_running_loop().create_future()
        self.waiting.append((item, own))
        if self.rounds is None or self.rounds.done():
            self.rounds = asyncio.create_task(self._rounds())
        answer: Answer = await own
        return answer

    async def _rounds(self) -> None:
        while self.waiting:
            taken, self.waiting = self.waiting[: self.most], self.waiting[self.most :]
            batch = [each for each in taken if not each[1].done()]  # drops callers that have gone
            if batch:
                await self._do(batch)

    async def _do(self, batch: Sequence[tuple[Item, "asyncio.Future[Answer]"]]) -> None:
        try:
            answers = await self.work([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  # raised again where it belongs
            if len(batch) > 1 and isinstance(error, self.each_alone):
                for each in batch:
                    await self._do([each])
                return
            for _, own in batch:
                if not own.done():
                    own.set_exception(error)
            return
        for (_, own), answer in zip(batch, answers, strict=True):
            if not own.done():
                own.set_result(answer)
