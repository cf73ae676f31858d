"""What many threads want done at the same time, done at once by one of them."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Ticket(Generic[Item, Answer]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self.done = False


class Together(Generic[Item, Answer]):
    """Whoever comes first does `work`; those who come meanwhile wait, and one of them does it for
    all of them. A database commits once then instead of many times [group commit].

    `work` gives one answer an item. Where it fails for several, each is tried by itself.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self.work = work
        self.waiting: list[_Ticket[Item, Answer]] = []
        self.busy = False
        self.changed = threading.Condition()

    def __call__(self, item: Item) -> Answer:
        """Returns after `work` has ended. Raises what it raised for this item."""
        own = _Ticket[Item, Answer](item)
        with self.changed:
            self.waiting.append(own)
            self.changed.wait_for(lambda: own.done or not self.busy)
            batch: list[_Ticket[Item, Answer]] = []
            if not own.done:
                self.busy = True
                batch, self.waiting = self.waiting, []
        if batch:
            try:
                self._do(batch)
            finally:
                with self.changed:
                    self.busy = False
                    for each in batch:
                        each.done = True
                    self.changed.notify_all()
        if own.error:
            raise own.error
        assert own.answer is not None
        return own.answer

    def _do(self, batch: list[_Ticket[Item, Answer]]) -> None:
        try:
            answers = self.work([each.item for each in batch])
        except Exception as error:  # noqa: BLE001  # raised again where it belongs
            if len(batch) == 1:
                batch[0].error = error
                return
            for each in batch:
                self._do([each])
            return
        for each, answer in zip(batch, answers, strict=True):
            each.answer = answer
