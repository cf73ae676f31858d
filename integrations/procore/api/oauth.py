"""The four OAuth token requests and the address of the sign-in page.

https://developers.procore.com/documentation/oauth-endpoints
"""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import requests
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests_oauthlib import OAuth2Session

from integrations.procore.api.envelopes import parsed
from integrations.procore.api.errors import (
    GrantRefused,
    NotSent,
    RateLimited,
    ServerTrouble,
    Unreachable,
)
from integrations.procore.api.rate import retry_at
from integrations.procore.api.values import record_id
from partner_app.core import clock

TIMEOUT = 20.0  # seconds
DEFAULT_LIFETIME = 5400  # seconds
LONGEST = 86_400  # seconds; a longer lifetime is not believed
WAIT_WITHOUT_ADVICE = timedelta(seconds=60)


class LoginBar(Protocol):
    """A pause of the login host, shared by all processes."""

    def until(self) -> datetime | None:
        """None: go on. Otherwise the time before which no call may be made."""

    def keep_away(self, until: datetime) -> None: ...


@dataclass(frozen=True)
class TokenPair:
    """`expires_at` uses our own clock, so it does not depend on Procore's."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime


@dataclass(frozen=True)
class OAuth:
    login_url: str
    client_id: str
    client_secret: str
    redirect_uri: str
    user_agent: str
    bar: LoginBar

    def __post_init__(self) -> None:
        if urlsplit(self.login_url).hostname in {"127.0.0.1", "localhost"}:
            os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the simulator on loopback

    def authorization_address(self, *, state: str, verifier: str) -> str:
        """Sends PKCE without depending on it: Procore does not document it."""
        session = self._session()
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        address, _ = session.authorization_url(
            f"{self.login_url}/oauth/authorize",
            state=state,
            code_challenge=challenge,
            code_challenge_method="S256",
        )
        return str(address)

    def redeem(self, *, code: str, verifier: str) -> TokenPair:
        """Raises GrantRefused, RateLimited, Unreachable, ServerTrouble."""
        return self._ask(
            lambda session: session.fetch_token(
                self._token_url,
                code=code,
                code_verifier=verifier,
                client_secret=self.client_secret,
                include_client_id=True,
                timeout=TIMEOUT,
            )
        )

    def refresh(self, refresh_token: str) -> TokenPair:
        """Revokes the old pair even when the response is lost: the caller holds the row's lock."""
        return self._ask(
            lambda session: session.refresh_token(
                self._token_url,
                refresh_token=refresh_token,
                client_id=self.client_id,
                client_secret=self.client_secret,
                redirect_uri=self.redirect_uri,
                timeout=TIMEOUT,
            )
        )

    def client_credentials(self) -> TokenPair:
        session = OAuth2Session(client=BackendApplicationClient(self.client_id))
        return self._ask(
            lambda session: session.fetch_token(
                self._token_url,
                client_secret=self.client_secret,
                include_client_id=True,
                timeout=TIMEOUT,
            ),
            session,
        )

    def revoke(self, token: str) -> None:
        """Always 200 at Procore; revokes both tokens of the pair."""
        self._may_call()
        try:
            response = requests.post(
                f"{self.login_url}/oauth/revoke",
                data={
                    "token": token,
                    "client_id": self.client_id,
                    "client_secret": self.client_secret,
                },
                headers={"User-Agent": self.user_agent},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException:
            raise Unreachable from None
        self._judge(response)

    def look_at_sign_in(self) -> list[tuple[str, int, Mapping[str, str]]]:
        """Host, status and headers of the sign-in page and of the redirects to it.

        Does not sign in. Raises Unreachable.
        """
        address = self.authorization_address(state="first-day", verifier="first-day")
        agent = {"User-Agent": self.user_agent}
        try:
            answer = requests.get(address, headers=agent, timeout=TIMEOUT)
        except requests.RequestException:
            raise Unreachable from None
        pages = [*answer.history, answer]
        return [(urlsplit(p.url).netloc, p.status_code, p.headers) for p in pages]

    @property
    def _token_url(self) -> str:
        return f"{self.login_url}/oauth/token"

    def _session(self) -> OAuth2Session:
        return OAuth2Session(self.client_id, redirect_uri=self.redirect_uri)

    def _ask(
        self, request: Callable[[OAuth2Session], Any], session: OAuth2Session | None = None
    ) -> TokenPair:
        session = session or self._session()
        session.headers["User-Agent"] = self.user_agent
        session.max_redirects = 0  # our secret goes to the login origin and nowhere else
        session.register_compliance_hook("access_token_response", self._checked)
        session.register_compliance_hook("refresh_token_response", self._checked)
        self._may_call()
        try:
            token = request(session)
        except OAuth2Error:
            raise GrantRefused from None
        except (requests.RequestException, ValueError):
            raise Unreachable from None
        return TokenPair(
            token["access_token"],
            token.get("refresh_token"),
            clock.now().astimezone(UTC) + timedelta(seconds=token["expires_in"]),
        )

    def _may_call(self) -> None:
        until = self.bar.until()
        if until:
            raise NotSent(until)

    def _judge(self, response: requests.Response) -> None:
        status, until = response.status_code, None
        if status == 429 or (status >= 500 and "Retry-After" in response.headers):
            until = retry_at(response.headers, clock.now(), WAIT_WITHOUT_ADVICE)
            self.bar.keep_away(until)
        if status == 429 and until:
            raise RateLimited(until)
        if status >= 500:
            raise ServerTrouble(status, until)

    def _checked(self, response: requests.Response) -> requests.Response:
        self._judge(response)
        return _cleaned(response)


def _cleaned(response: requests.Response) -> requests.Response:
    """The response reduced to the fields that we use, in the expected form.

    An odd `expires_in` must not cost the new pair: the old pair is already invalid. Raises
    GrantRefused, Unreachable.
    """
    if response.status_code >= 400:
        raise GrantRefused
    try:
        body = parsed(response.content)
    except msgspec.DecodeError:
        raise Unreachable from None  # it is not known what became of the grant
    given = body if isinstance(body, dict) else {}
    given = given["data"] if isinstance(given.get("data"), dict) else given
    if "error" in given and not given.get("access_token"):
        raise GrantRefused
    access, refresh = _token(given.get("access_token")), _token(given.get("refresh_token"))
    if access is None:
        raise Unreachable
    clean: dict[str, object] = {"access_token": access, "token_type": "bearer"}
    clean["expires_in"] = _lifetime(given.get("expires_in"))
    if refresh is not None:
        clean["refresh_token"] = refresh
    response._content = msgspec.json.encode(clean)
    return response


def _token(value: object) -> str | None:
    """Text that is valid in a header."""
    fits = isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value
    return str(value) if fits and value else None


def _lifetime(given: object) -> int:
    """Procore's value where it is plausible; a token that expires sooner is renewed after a 401."""
    seconds = record_id(given)
    return seconds if seconds and seconds <= LONGEST else DEFAULT_LIFETIME
