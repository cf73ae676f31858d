"""The four token requests and the address of the sign-in page [oauth_endpoints]."""

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests_oauthlib import OAuth2Session

from integrations.procore.api.errors import GrantRefused, ServerTrouble, Unreachable
from partner_app.core import clock

TIMEOUT = 20.0  # seconds
DEFAULT_LIFETIME = 5400  # seconds


@dataclass(frozen=True)
class TokenPair:
    """`expires_at` counts from our own clock, so that Procore's may be wrong."""

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

    def __post_init__(self) -> None:
        if urlsplit(self.login_url).hostname in {"127.0.0.1", "localhost"}:
            os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # a stand-in on loopback

    def authorization_address(self, *, state: str, verifier: str) -> str:
        """PKCE is sent and not depended on: Procore does not document it."""
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
        """Raises GrantRefused, Unreachable, ServerTrouble."""
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
        """Kills the old pair even when the answer is lost: the caller holds the row's lock."""
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
        """Always 200 at Procore; kills both tokens of the pair."""
        try:
            requests.post(
                f"{self.login_url}/oauth/revoke",
                data={
                    "token": token,
                    "client_id": self.client_id,
                    "client_secret": self.client_secret,
                },
                headers={"User-Agent": self.user_agent},
                timeout=TIMEOUT,
            )
        except requests.RequestException:
            raise Unreachable from None

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
        session.register_compliance_hook("access_token_response", _server_trouble)
        session.register_compliance_hook("refresh_token_response", _server_trouble)
        try:
            token = request(session)
        except OAuth2Error:
            raise GrantRefused from None
        except (requests.RequestException, ValueError):
            raise Unreachable from None
        lifetime = timedelta(seconds=int(token.get("expires_in", DEFAULT_LIFETIME)))
        return TokenPair(
            token["access_token"],
            token.get("refresh_token"),
            clock.now().astimezone(UTC) + lifetime,
        )


def _server_trouble(response: requests.Response) -> requests.Response:
    if response.status_code >= 500:
        raise ServerTrouble(response.status_code)
    return response
