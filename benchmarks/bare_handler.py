"""The least that a webhook receiver can do: one insert, then 202. Served like the app."""

import os
from typing import Any

from psycopg_pool import AsyncConnectionPool

pool = AsyncConnectionPool(os.environ["BARE_DATABASE_URL"], min_size=4, max_size=8, open=False)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await pool.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await pool.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO bare_events (body) VALUES (%s)", (body.decode(),))
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
