"""Calls the app through ASGI, as the web server does: webhooks arrive there."""

import asyncio
import threading
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from partner_app.asgi import application


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for the whole run, as in a process of the web server."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    read: bool = False  # whether the app read the body before it began the answer


async def _ask(scope: dict[str, Any], body: bytes) -> Answer:
    answer = Answer()

    async def receive() -> dict[str, Any]:
        answer.read = answer.read or not answer.status
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {n.decode(): v.decode() for n, v in message["headers"]}

    await application(scope, receive, send)
    return answer


def ask(
    path: str, body: bytes = b"", *, method: str = "POST", headers: dict[str, str] | None = None
) -> Answer:
    """`Content-Length` is that of the body, unless it or `Transfer-Encoding` is given."""
    given = {name.lower(): value for name, value in (headers or {}).items()}
    if "transfer-encoding" not in given:
        given.setdefault("content-length", str(len(body)))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(n.encode(), v.encode("latin-1")) for n, v in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    return asyncio.run_coroutine_threadsafe(_ask(scope, body), _loop()).result(60)


def deliver(key: uuid.UUID, body: bytes, secret: str, **headers: str) -> int:
    """Delivers to a hook and returns the status."""
    given = {"Authorization": secret, **headers}
    return ask(f"/webhooks/procore/{key}/", body, headers=given).status
