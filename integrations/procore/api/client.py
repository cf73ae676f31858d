"""Calls to Procore's REST API: headers, safe retries, rate limits, exact decimals."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout
from urllib3.exceptions import HTTPError

from integrations.procore.api.envelopes import (
    NotTheShape,
    Record,
    parsed,
    record_of,
    rows_of,
    shape_of_body,
)
from integrations.procore.api.errors import (
    Forbidden,
    NotConnected,
    NotFoundOrHidden,
    RateLimited,
    Refused,
    ServerTrouble,
    Unauthorized,
    Unreachable,
    Unreadable,
)
from integrations.procore.api.operations import operation_of
from integrations.procore.api.pages import (
    Content,
    ListGuard,
    Page,
    flat,
    largest_page,
    standing_of,
)
from integrations.procore.api.rate import Governor, retry_at, standing_from
from partner_app.core import clock

LIMITS = Timeout(connect=5.0, read=60.0)  # seconds
READ_ATTEMPTS = 3  # only reads are retried automatically
BACKOFF = 0.1  # seconds; doubles
MOST_AT_ONCE = 16  # connections kept open
WAIT_WITHOUT_ADVICE = timedelta(seconds=60)

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Bearer(Protocol):
    """Supplies the access token; `renew` runs once after a 401 and may raise ReconnectNeeded."""

    def token(self) -> str: ...

    def renew(self, refused: str) -> str: ...


@dataclass
class ProcoreClient:
    """Calls Procore with one credential for one company. `company_id` None: only `me`, `companies`.

    Each call must be listed in operations.py; otherwise it raises OperationUnlisted.
    """

    base_url: str
    user_agent: str
    bearer: Bearer
    company_id: int | None
    rate: Governor
    calls: int = 0
    pool: PoolManager = field(init=False)

    def __post_init__(self) -> None:
        self.pool = _pool(self.base_url)

    def get(self, path: str, **params: object) -> Any:
        """One document of any shape. Raises ProcoreError."""
        return self._read(path, params, parsed)[0]

    def record(self, path: str, **params: object) -> Record:
        """One record, bare or in an envelope. Raises ProcoreError."""
        return self._read(path, params, lambda body: record_of(parsed(body)))[0]

    def look(self, path: str, params: Mapping[str, object]) -> tuple[Any, Mapping[str, str]]:
        """One document with the response headers. Raises ProcoreError."""
        return self._read(path, params, parsed)

    def page(
        self,
        path: str,
        params: Mapping[str, object],
        number: int,
        *,
        decode: Callable[[bytes], Content],
        per_page: int | None = None,
    ) -> Page[Content]:
        """One page of a list, as large as the version allows. `decode` may raise DecodeError."""
        asked = per_page or largest_page(path)
        place = {"page": number, "per_page": asked}
        content, headers = self._read(path, {**params, **place}, decode)
        return Page(content, *standing_of(headers, number, asked))

    def all_at_once(
        self, path: str, params: Mapping[str, object], *, decode: Callable[[bytes], Content]
    ) -> Page[Content]:
        """A list without pages."""
        content, _ = self._read(path, params, decode)
        return Page(content, None, 0, more=False)

    def rows(self, path: str, params: Mapping[str, object]) -> Iterator[Record]:
        """Every record of a list, in the order of the pages. Raises ProcoreError."""
        guard, number, more = ListGuard(), 1, True
        while more:
            page = self.page(path, params, number, decode=lambda body: rows_of(parsed(body)))
            yield from page.content
            guard.check(page, number, map(repr, page.content))
            number, more = number + 1, page.more

    def count(self, path: str, params: Mapping[str, object]) -> int | None:
        """The number of records in a list, for one call; None where Procore does not report it."""
        return self.page(path, params, 1, decode=len, per_page=1).total

    def write(self, method: str, path: str, body: object) -> Any:
        """POST, PATCH or DELETE, once. Unreachable means that the effect is unknown."""
        try:
            response = self._send(method, path, {}, _encode(body) if body is not None else None)
            return parsed(response.data) if response.data else None
        except (msgspec.DecodeError, Unreadable):
            raise Unreachable from None  # the response is lost; the effect is not known

    def _read(
        self,
        path: str,
        params: Mapping[str, object],
        decode: Callable[[bytes], Content],
    ) -> tuple[Content, Mapping[str, str]]:
        """Retries short faults at once; 429 and 503 say when to come back."""
        attempt = 1
        while True:
            try:
                response = self._send("GET", path, params, None)
                return _content(response, decode), response.headers
            except (Unreachable, Unreadable):
                if attempt == READ_ATTEMPTS:
                    raise
            except ServerTrouble as error:
                if error.until or attempt == READ_ATTEMPTS:
                    raise
            clock.pause(BACKOFF * 2**attempt)
            attempt += 1

    def _send(
        self, method: str, path: str, params: Mapping[str, object], body: bytes | None
    ) -> BaseHTTPResponse:
        operation_of(method, path)
        token = self._permit()
        response = self._once(method, path, params, body, token)
        if response.status == 401:
            self.bearer.renew(token)
            response = self._once(method, path, params, body, self._permit())
        _raise_for(response)
        return response

    def _permit(self) -> str:
        """The token for a call that may go out now. Raises RateLimited, and what the bearer raises.

        Checked twice: renewing a token takes seconds, during which a rate limit may begin; waiting
        for a permit also takes time, during which another process may replace the token.
        """
        self.bearer.token()
        until = self.rate.take()
        if until:
            raise RateLimited(until)
        try:
            return self.bearer.token()
        except Exception:
            self.rate.heard(None)
            raise

    def _once(
        self, method: str, path: str, params: Mapping[str, object], body: bytes | None, token: str
    ) -> BaseHTTPResponse:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": self.user_agent,
        }
        if self.company_id is not None:
            headers["Procore-Company-Id"] = str(self.company_id)
        if body is not None:
            headers["Content-Type"] = "application/json"
        query = urlencode(list(flat(params)))
        self.calls += 1
        try:
            response = self.pool.request(
                method,
                self.base_url + path + (f"?{query}" if query else ""),
                body=body,
                headers=headers,
                timeout=LIMITS,
                redirect=False,
                retries=False,
            )
        except HTTPError:
            self.rate.heard(None)
            raise Unreachable from None
        self.rate.heard(
            standing_from(response.headers, clock.now()),
            _asks_to_wait(response),
            status=response.status,
        )
        return response


@cache
def _pool(base_url: str) -> PoolManager:
    """Connections shared by all clients of this process: a new connection costs more than a call.

    Uses the environment's proxy where one is set for this host.
    """
    parts = urlsplit(base_url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    if proxy:
        return ProxyManager(proxy, maxsize=MOST_AT_ONCE)
    return PoolManager(maxsize=MOST_AT_ONCE)


def _content(response: BaseHTTPResponse, decode: Callable[[bytes], Content]) -> Content:
    """Raises Unreadable, which describes the body that came instead."""
    try:
        return decode(response.data)
    except NotTheShape as error:
        raise Unreadable(error.shape) from None
    except msgspec.DecodeError:
        raise Unreadable(shape_of_body(response.data)) from None


def _asks_to_wait(response: BaseHTTPResponse) -> datetime | None:
    """When calls may resume: after a 429, and after a 5xx that says so.

    https://developers.procore.com/documentation/rate-limiting
    """
    if response.status == 429 or (response.status >= 500 and "Retry-After" in response.headers):
        return retry_at(response.headers, clock.now(), WAIT_WITHOUT_ADVICE)
    return None


def _raise_for(response: BaseHTTPResponse) -> None:
    status = response.status
    if status < 300:
        return
    if status < 400:
        raise Unreadable("a redirect to another address")  # never followed: it could lead anywhere
    if status == 401:
        raise Unauthorized
    if status == 403:
        text = _reasons(response)
        if re.search("not connected", text, re.IGNORECASE):
            raise NotConnected
        if re.search("locked", text, re.IGNORECASE):
            raise Refused(text, status)
        raise Forbidden
    if status == 404:
        raise NotFoundOrHidden
    if status == 429:
        raise RateLimited(retry_at(response.headers, clock.now(), WAIT_WITHOUT_ADVICE))
    if status >= 500:
        raise ServerTrouble(status, _asks_to_wait(response))
    raise Refused(_reasons(response), status)


def _reasons(response: BaseHTTPResponse) -> str:
    """The many shapes of an error body as one sentence; for HTML and the like, the status."""
    try:
        body = parsed(response.data)
    except msgspec.DecodeError:
        return f"status {response.status}"
    found: list[str] = []
    _gather(body, "", found)
    return "; ".join(found) or f"status {response.status}"


def _gather(value: object, name: str, found: list[str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            label = "" if key in {"errors", "error", "message", "reason", "code"} else str(key)
            _gather(inner, label or name, found)
    elif isinstance(value, list):
        for inner in value:
            _gather(inner, name, found)
    elif value:
        found.append(f"{name} {value}".strip())
