"""The ASGI application: webhooks are answered at once, all else by Django in threads."""

import asyncio
import multiprocessing
import os
import signal
import threading
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.db import DatabaseError, close_old_connections
from django.urls import Resolver404, resolve

from partner_app.core.arrival import App, Arrival, Receive, Scope, Send, Whole
from partner_app.core.bodies import largest_for
from partner_app.core.web_server import THREADS
from partner_app.wsgi import application as django

# After Django's set-up, which the import above does.
from integrations.procore.webhooks.ingest import Ingest  # isort: skip
from partner_app.embedded.errors import SignInNeeded  # isort: skip
from partner_app.embedded.session import session_of  # isort: skip


class AddressRules:
    def __init__(self, pool: Any) -> None:
        self.pool = pool

    def largest(self, path: str) -> int:
        try:
            return largest_for(resolve(path).func)
        except Resolver404:
            return 0

    async def admits(self, authorization: str) -> bool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, _is_signed_in, authorization)


def _is_signed_in(authorization: str) -> bool:
    """The view checks again, and reports the error where nobody is signed in."""
    try:
        session_of(authorization)
    except (SignInNeeded, DatabaseError):
        return False
    finally:
        close_old_connections()
    return True


# The response is buffered whole, so that no thread waits for a slow reader.
threads = WSGIMiddleware(Whole(django), workers=THREADS, send_queue_size=0)
pages = Arrival(cast(App, threads), AddressRules(threads.executor))

door = Ingest(pages)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    else:
        await door(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _end_with_parent() -> None:
    """A process whose parent was killed would keep the port, and nothing would supervise it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
