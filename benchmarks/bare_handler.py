"""The least that a webhook's receiver can do: one insert, then 202. Served as the app is."""

import os
from collections.abc import Callable, Iterable

from psycopg_pool import ConnectionPool

pool = ConnectionPool(os.environ["BARE_DATABASE_URL"], min_size=4, max_size=8, open=True)


def application(
    environ: dict[str, object], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(str(environ["CONTENT_LENGTH"])))  # type: ignore[attr-defined]  # WSGI's stream
    with pool.connection() as connection:
        connection.execute("INSERT INTO bare_events (body) VALUES (%s)", (body.decode(),))
    start_response("202 Accepted", [("Content-Length", "0")])
    return [b""]
