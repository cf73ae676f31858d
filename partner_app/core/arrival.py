"""Passes a request to the app's threads only after it has arrived completely.

Bodies are read on the event loop, where a waiting one costs a socket and at most 64 KB.
`core.bodies` decides how large a body may be, without reading it: one that is too large, or does
not declare its length, is passed on unread and refused there with a message.
"""

import asyncio
import io
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, BinaryIO, Protocol
from wsgiref.util import FileWrapper

from django.conf import settings

from partner_app.core.bodies import ORDINARY

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY = "tieback.body"  # the scope's key for the body: a file to read
LARGEST_HEAD = 32 * 1024  # bytes of address and headers; as in Caddyfile
ORDINARY_TIME = 20.0  # seconds for a body of 64 KB: 3 KB a second
FILE_TIME = 300.0  # seconds for a file of 50 MB; as in Caddyfile
MOST_FILES = 4  # that a process receives and works on at once: temporary space is bounded
MOST_EACH = 2  # of those, by one person: a slow sender does not block others
MOST_AT_ONCE = 200  # complete requests that wait for a thread or have one
PAUSE = 0.05  # seconds between two pieces of at most 64 KB of a refused body
LINGER = 2.0  # seconds in which the sender of a refused body may still read the reason

BARE = [
    (b"content-length", b"0"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]


class BodyRules(Protocol):
    """What the app knows and this layer does not. Both are called only for files."""

    def largest(self, path: str) -> int:
        """Bytes that the body of a request to this path may have."""

    async def admits(self, authorization: str) -> bool:
        """Whether this sender may send a file at all."""


class Gone(Exception):
    """The client closed the connection before its body was complete."""


class TooMany(Exception):
    """One person sends more files at a time than expected."""


class NotRead(io.RawIOBase):
    """Takes the place of a body that must not be read."""

    def readinto(self, _buffer: Any, /) -> int:
        raise OSError("this body was not taken in")

    def readable(self) -> bool:
        return True


class Arrival:
    """An ASGI application in front of `app`, which finds the body's file at `scope[BODY]`."""

    def __init__(self, app: App, rules: BodyRules) -> None:
        self.app, self.rules = app, rules
        self.files = asyncio.Semaphore(MOST_FILES)
        self.senders: Counter[str] = Counter()  # files in progress, by their bearer
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = malformed(scope)
        if status:
            await refuse(receive, send, status)
            return
        # A proxy's `X-Forwarded-For` and a client's `X_Forwarded_For` become one name in WSGI.
        scope = {**scope, "headers": [h for h in scope["headers"] if b"_" not in h[0]]}
        async with AsyncExitStack() as held:
            try:
                body = await self._body(scope, receive, held)
            except Gone:
                return
            except (TimeoutError, TooMany) as error:
                await refuse(receive, send, 429 if isinstance(error, TooMany) else 408)
                return
            if self.under_way >= MOST_AT_ONCE:
                await refuse(receive, send, 503)
                return
            if isinstance(body, NotRead):
                send = _and_close(receive, send)
            self.under_way += 1
            try:
                await self.app({**scope, BODY: body}, receive, send)
            finally:
                self.under_way -= 1

    async def _body(self, scope: Scope, receive: Receive, held: AsyncExitStack) -> Any:
        """Raises Gone, TimeoutError, TooMany. What must be closed later is put into `held`."""
        length = declared(scope)
        if length is not None and length <= ORDINARY:
            async with asyncio.timeout(ORDINARY_TIME):
                return await receive_whole(receive, io.BytesIO())
        if length is None or length > self.rules.largest(scope["path"]):
            return NotRead()
        sender = header(scope, b"authorization")
        if not await self.rules.admits(sender):
            return NotRead()
        if self.senders[sender] >= MOST_EACH:
            raise TooMany
        self.senders[sender] += 1
        held.callback(self._release, sender)
        async with asyncio.timeout(FILE_TIME):
            await held.enter_async_context(self.files)
            file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with what else is held
            held.callback(file.close)
            return await receive_whole(receive, file)

    def _release(self, sender: str) -> None:
        self.senders[sender] -= 1
        self.senders += Counter()  # drops senders with nothing in progress


async def receive_whole(receive: Receive, file: BinaryIO) -> BinaryIO:
    """The whole body, positioned at its beginning. The server ends it at its declared length.

    Raises Gone.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        file.write(message.get("body", b""))
        if not message.get("more_body", False):
            file.seek(0)
            return file


def declared(scope: Scope) -> int | None:
    """Bytes of the body; None where the length is unknown, 0 where there is no body."""
    if any(name == b"transfer-encoding" for name, _ in scope["headers"]):
        return None
    value = header(scope, b"content-length") or "0"
    fits = value.isascii() and value.isdecimal() and len(value) < 16
    return int(value) if fits else None


def header(scope: Scope, wanted: bytes) -> str:
    """The last header of that name, as WSGI has it; empty where there is none."""
    found = [value for name, value in scope["headers"] if name == wanted]
    return found[-1].decode("latin-1") if found else ""


def malformed(scope: Scope) -> int:
    """The status for a head that is too large or that WSGI cannot carry; 0 for all others."""
    head = scope["raw_path"] + scope["query_string"]
    if len(head) + sum(len(n) + len(v) + 4 for n, v in scope["headers"]) > LARGEST_HEAD:
        return 431
    return 0 if head.isascii() else 400


async def refuse(receive: Receive, send: Send, status: int) -> None:
    """Also ends the connection, however much of the body was not read."""
    await answer(_and_close(receive, send), status)


async def answer(send: Send, status: int) -> None:
    """A status without text: the sender is not a person in front of a page."""
    headers = [*BARE]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    if settings.HTTPS:
        held = b"max-age=%d; includeSubDomains" % settings.SECURE_HSTS_SECONDS
        headers.append((b"strict-transport-security", held))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _and_close(receive: Receive, send: Send) -> Send:
    """Ends the connection after a response to a request whose body was not read.

    What still arrives is discarded for a moment: a browser that is cut off while it sends shows its
    own error instead of the response.
    """

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        elif not message.get("more_body", False):
            await send({**message, "more_body": True})
            with suppress(TimeoutError, Gone):
                async with asyncio.timeout(LINGER):
                    await _throw_away(receive)
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return closing


async def _throw_away(receive: Receive) -> None:
    """Reads until the end of the body, piece by piece with a pause.

    So a fast sender is slowed down and costs nothing. Raises Gone.
    """
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        more = message.get("more_body", False)
        await asyncio.sleep(PAUSE)


class Whole:
    """WSGI, in the threads: the body is the received file, and files are sent in large pieces.

    Each piece is worth the step between two threads.
    """

    PIECE = 256 * 1024  # bytes

    def __init__(self, app: Callable[[Any, Any], Any]) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        environ["wsgi.input"] = environ["asgi.scope"][BODY]
        environ["wsgi.file_wrapper"] = lambda file, _size: FileWrapper(file, self.PIECE)
        return self.app(environ, start_response)
