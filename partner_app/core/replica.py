"""Reads pages that may lag by a moment from a replica of the database, where there is one.

`DATABASE_REPLICA_URL` names a streaming replica. What customers see, and whatever decides or
writes, always uses the primary; so does a person who has just changed something.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse

from partner_app.core.logging import log

ALIAS = "replica"
JUST = 30.0  # seconds in which a person's own change may not have reached the replica
AWAY = 30.0  # seconds for which a replica that did not respond is not used
WROTE_AT = "wrote_at"
P = ParamSpec("P")
RequestT = TypeVar("RequestT", bound=HttpRequest)
_reading: ContextVar[bool] = ContextVar("reading_from_replica", default=False)
_away_until = 0.0


class Router:
    """Django asks it where each query goes."""

    def db_for_read(self, _model: object, **_hints: object) -> str | None:
        return ALIAS if _reading.get() else None

    def db_for_write(self, _model: object, **_hints: object) -> str | None:
        return DEFAULT_DB_ALIAS if _reading.get() else None

    def allow_relation(self, *_objects: object, **_hints: object) -> bool | None:
        """One database and its replica."""
        return True if _reading.get() else None

    def allow_migrate(self, database: str, _app: str, **_hints: object) -> bool | None:
        return False if database == ALIAS else None


def may_lag(
    view: Callable[Concatenate[RequestT, P], HttpResponse],
) -> Callable[Concatenate[RequestT, P], HttpResponse]:
    """For a view that only reads, inside the decorator that checks access."""

    @wraps(view)
    def inner(request: RequestT, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if _wrote_just_now(request) or not _answers():
            return view(request, *args, **kwargs)
        with _replica():
            return view(request, *args, **kwargs)

    return inner  # type: ignore[return-value]  # wraps() forgets that they are the same


def note_change(request: HttpRequest) -> None:
    """The next pages of this session show what it has changed."""
    request.session[WROTE_AT] = time.time()


@contextmanager
def _replica() -> Iterator[None]:
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def _wrote_just_now(request: HttpRequest) -> bool:
    written: Any = request.session.get(WROTE_AT, 0.0)
    return abs(time.time() - float(written)) < JUST


def _answers() -> bool:
    global _away_until  # shared by all threads of the process
    if ALIAS not in connections.databases or time.monotonic() < _away_until:
        return False
    try:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SELECT 1")
    except (InterfaceError, OperationalError):
        connections[ALIAS].close()
        _away_until = time.monotonic() + AWAY
        log.warning("replica.away")
        return False
    return True
