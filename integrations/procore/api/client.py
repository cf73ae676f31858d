"""Calls to Procore's REST API: headers, lawful retries, rate limits, exact decimals."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

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
from integrations.procore.api.pages import LARGEST_PAGE_V1, LARGEST_PAGE_V2, Page, flat, rows_of
from integrations.procore.api.rate import RateMemory, retry_at, standing_from
from partner_app.core import clock

CONNECT_LIMIT, READ_LIMIT = 5.0, 60.0  # seconds
READ_ATTEMPTS = 3  # for answers that were cut; only reads repeat by themselves
WAIT_WITHOUT_ADVICE = timedelta(seconds=60)

# JSON numbers become Decimal, never float.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Bearer(Protocol):
    """Gives the access token; `renew` is called once after a 401 and may raise ReconnectNeeded."""

    def token(self) -> str: ...

    def renew(self, refused: str) -> str: ...


@dataclass
class ProcoreClient:
    """Speaks for one credential at one company. `company_id` None: only `me` and `companies`."""

    base_url: str
    user_agent: str
    bearer: Bearer
    company_id: int | None
    rate: RateMemory
    calls: int = 0
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        # Quick faults only: 429 and 503 carry advice when to come back.
        retry = Retry(
            total=3,
            allowed_methods={"GET"},
            status_forcelist={500, 502, 504},
            backoff_factor=0.2,
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))
        self.session.headers["User-Agent"] = self.user_agent

    def get(self, path: str, **params: object) -> Any:
        """One document. Raises ProcoreError."""
        return self._read(path, params)[0]

    def page(self, path: str, params: Mapping[str, object], number: int) -> Page:
        """One page of a list, as large as the version allows."""
        version = path.split("/")[2]
        per_page = LARGEST_PAGE_V2 if version.startswith("v2") else LARGEST_PAGE_V1
        body, headers = self._read(path, {**params, "page": number, "per_page": per_page})
        try:
            rows = rows_of(body, version)
        except TypeError:
            raise Unreadable from None
        total = headers.get("Total", "")
        more = 'rel="next"' in headers.get("Link", "")
        return Page(rows, int(total) if total.isdigit() else None, more)

    def pages(self, path: str, params: Mapping[str, object]) -> Iterator[Page]:
        number = 1
        while True:
            page = self.page(path, params, number)
            yield page
            if not page.more:
                return
            number += 1

    def write(self, method: str, path: str, body: object) -> Any:
        """POST, PATCH or DELETE, once. Unreachable means that the effect is unknown."""
        response = self._send(method, path, {}, _encode(body) if body is not None else None)
        if not response.content:
            return None
        try:
            return _decode(response.content)
        except msgspec.DecodeError:
            raise Unreachable from None  # the answer is lost; the effect is not known

    def _read(self, path: str, params: Mapping[str, object]) -> tuple[Any, Mapping[str, str]]:
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                response = self._send("GET", path, params, None)
                return _decode(response.content), response.headers
            except msgspec.DecodeError:
                if attempt == READ_ATTEMPTS:
                    raise Unreadable from None
            except Unreachable:
                if attempt == READ_ATTEMPTS:
                    raise
        raise Unreachable

    def _send(
        self, method: str, path: str, params: Mapping[str, object], body: bytes | None
    ) -> requests.Response:
        token = self.bearer.token()
        response = self._once(method, path, params, body, token)
        if response.status_code == 401:
            response = self._once(method, path, params, body, self.bearer.renew(token))
        _raise_for(response)
        return response

    def _once(
        self, method: str, path: str, params: Mapping[str, object], body: bytes | None, token: str
    ) -> requests.Response:
        now = clock.now()
        standing = self.rate.read()
        until = standing.wait_until(now) if standing else None
        if until:
            raise RateLimited(until)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if self.company_id is not None:
            headers["Procore-Company-Id"] = str(self.company_id)
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.calls += 1
        try:
            response = self.session.request(
                method,
                self.base_url + path,
                params=list(flat(params)),
                data=body,
                headers=headers,
                timeout=(CONNECT_LIMIT, READ_LIMIT),
                allow_redirects=False,
            )
        except requests.RequestException:
            raise Unreachable from None
        learned = standing_from(response.headers)
        if learned:
            self.rate.write(learned)
        return response


def _raise_for(response: requests.Response) -> None:
    status = response.status_code
    if status < 400:
        return
    now = clock.now()
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
        raise RateLimited(retry_at(response.headers, now, WAIT_WITHOUT_ADVICE))
    if status >= 500:
        advised = "Retry-After" in response.headers
        raise ServerTrouble(
            status, retry_at(response.headers, now, WAIT_WITHOUT_ADVICE) if advised else None
        )
    raise Refused(_reasons(response), status)


def _reasons(response: requests.Response) -> str:
    """The many shapes of an error body as one sentence; HTML and worse as its status."""
    try:
        body = _decode(response.content)
    except msgspec.DecodeError:
        return f"status {response.status_code}"
    found: list[str] = []
    _gather(body, "", found)
    return "; ".join(found) or f"status {response.status_code}"


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
