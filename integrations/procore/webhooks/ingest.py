"""The endpoint for Procore's webhooks: checks, stores and answers.

An ASGI application of its own beside the pages: a delivery never waits for a thread that renders a
page. Two threads use the database, one to authorise senders, one to store; what arrives while they
work is handled in their next round.
"""

import asyncio
import io
import re
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db import connection as database

from integrations.procore.webhooks.deliveries import (
    ACCEPTED,
    Delivery,
    Speaker,
    is_recognised,
    refusals,
    take_in,
)
from partner_app.core.arrival import (
    ORDINARY_TIME,
    App,
    Gone,
    Receive,
    Scope,
    Send,
    answer,
    declared,
    header,
    malformed,
    receive_whole,
    refuse,
)
from partner_app.core.bodies import ORDINARY
from partner_app.core.client_ip import address_of
from partner_app.core.group_commit import GroupCommit
from partner_app.core.limits import TooOften, count_stranger
from partner_app.core.logging import log

PATH = re.compile(r"/webhooks/procore/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")
PREFIX = "/webhooks/"
STORED_WITHIN = 4.0  # seconds; Procore waits for five, then delivers again [webhooks]
MOST_AT_ONCE = 3000  # deliveries of known senders, of at most 64 KB each
MOST_STRANGERS = 100  # unknown senders checked or counted at once; more are turned away
NOT_FOUND, WRONG_METHOD, LATE, LENGTH_NEEDED, TOO_LARGE = 404, 405, 408, 411, 413
TOO_OFTEN, BUSY = 429, 503
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Ingest:
    """Answers below /webhooks/; anything else goes to `pages`."""

    def __init__(self, pages: App) -> None:
        self.pages = pages
        self.lookups: GroupCommit[Speaker, int] = GroupCommit(_in_thread_of_its_own(refusals))
        self.deliveries: GroupCommit[Delivery, int] = GroupCommit(
            _in_thread_of_its_own(take_in), each_alone=(DataError, IntegrityError)
        )
        self.counting = ThreadPoolExecutor(1, "strangers")
        self.known = self.strangers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(PREFIX):
            await self.pages(scope, receive, send)
            return
        try:
            status = await self._status(scope, receive)
        except Gone:
            return
        if status == ACCEPTED:
            await answer(send, status)
        else:
            await refuse(receive, send, status)

    async def _status(self, scope: Scope, receive: Receive) -> int:
        """Checks key and secret first, then the length, then the body. Raises Gone."""
        place = PATH.fullmatch(scope["path"])
        status = malformed(scope) or (0 if place else NOT_FOUND)
        if status or place is None:
            return status
        if scope["method"] != "POST":
            return WRONG_METHOD
        speaker = Speaker.of(uuid.UUID(place[1]), header(scope, b"authorization"))
        if not is_recognised(speaker):
            status = await self._refusal(scope, speaker)
            if status:
                return status
        length = declared(scope)
        if length is None:
            return LENGTH_NEEDED
        if length > ORDINARY:
            return TOO_LARGE
        if self.known >= MOST_AT_ONCE:
            return BUSY
        self.known += 1
        try:
            return await self._take_in(speaker, receive)
        finally:
            self.known -= 1

    async def _take_in(self, speaker: Speaker, receive: Receive) -> int:
        try:
            async with asyncio.timeout(ORDINARY_TIME):
                body = await receive_whole(receive, io.BytesIO())
        except TimeoutError:
            return LATE
        try:
            async with asyncio.timeout(STORED_WITHIN):
                return await self.deliveries(Delivery(speaker, body.read()))
        except (DatabaseError, TimeoutError) as error:
            log.warning("webhook.not_taken", cause=type(error).__name__)
            return BUSY  # Procore delivers it again

    async def _refusal(self, scope: Scope, speaker: Speaker) -> int:
        """The status for an unauthorised sender, 0 for an authorised one."""
        if self.strangers >= MOST_STRANGERS:
            return BUSY
        self.strangers += 1
        try:
            async with asyncio.timeout(STORED_WITHIN):
                status = await self.lookups(speaker)
                if status:
                    peer = scope["client"][0] if scope["client"] else ""
                    address = address_of(header(scope, b"x-forwarded-for"), peer)
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self.counting, count_stranger, address)
                    # Senders over the limit get no line in the log either.
                    log.info("webhook.refused", status=status, hook=str(speaker.key))
                return status
        except TooOften:
            return TOO_OFTEN
        except (DatabaseError, TimeoutError) as error:
            log.warning("webhook.not_looked_up", cause=type(error).__name__)
            return BUSY
        finally:
            self.strangers -= 1


def _in_thread_of_its_own(
    work: Callable[[Sequence[Item]], Sequence[Answer]],
) -> "Callable[[Sequence[Item]], asyncio.Future[Sequence[Answer]]]":
    """One thread, so that the database has one connection for it, which is kept."""
    pool = ThreadPoolExecutor(1, work.__name__)

    def attempt(items: Sequence[Item]) -> Sequence[Answer]:
        try:
            return work(items)
        except (InterfaceError, OperationalError):
            database.close()  # where the database has closed the connection, a new one is opened
        try:
            return work(items)
        except (InterfaceError, OperationalError):
            database.close()
            raise

    def begin(items: Sequence[Item]) -> "asyncio.Future[Sequence[Answer]]":
        return asyncio.get_running_loop().run_in_executor(pool, attempt, items)

    return begin
