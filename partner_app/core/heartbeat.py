"""Keeps a lease while its process lives, however long a single call takes."""

import threading
from collections.abc import Callable
from types import TracebackType

from django.db import DatabaseError, connection

from partner_app.core.logging import log


class Heartbeat:
    """A thread that renews a lease every so many seconds, until the block is left.

    `keep` renews it and returns whether it was still held. Where it was not, the heartbeat ends;
    the work finds out at its next step, which must check for itself.
    """

    def __init__(self, keep: Callable[[], bool], *, every: float) -> None:
        self.keep, self.every, self.over = keep, every, threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.thread.join()

    def _beat(self) -> None:
        try:
            while not self.over.wait(self.every):
                if not self._kept():
                    return
        finally:
            connection.close()  # this thread's own

    def _kept(self) -> bool:
        """While the database is away for a moment, the lease waits for the next heartbeat."""
        try:
            return self.keep()
        except DatabaseError as error:
            log.warning("lease.not_renewed", cause=type(error).__name__)
            connection.close()
            return True
