"""A person in the frame of a running stack, over HTTP alone."""

import re
import secrets
from dataclasses import dataclass, field

import requests

from tests.stack import Stack

PATIENCE = 60  # seconds


@dataclass
class Visitor:
    """Signs in by the steps of the pop-up, then sends a bearer, as htmx does."""

    stack: Stack
    company_id: int
    bearer: str = ""
    base_url: str = ""  # of the host that answers; empty: the stack's first
    web: requests.Session = field(default_factory=requests.Session)

    def sign_in(self, role: str) -> "Visitor":
        self.web.trust_env = False
        procore, nonce = self.stack.procore, secrets.token_hex(32)
        query: dict[str, int | str] = {"company_id": self.company_id, "nonce": nonce}
        to_procore = self._get("/embedded/sign-in/", query)
        person = procore.person(role, self.company_id)["id"]
        back = procore.authorize(to_procore.headers["Location"], person)
        found = re.search(r'data-code="([^"]+)"', self._get("/oauth/callback/", dict(back)).text)
        assert found, "the sign-in gave no code"
        session = self.web.post(
            f"{self.stack.base_url}/embedded/session/",
            data={"code": found[1], "nonce": nonce},
            timeout=PATIENCE,
        )
        self.bearer = session.json()["token"]
        return self

    def open(self, path: str) -> int:
        return self.ask(path).status_code

    def opens(self, path: str) -> bool:
        """Whether the page opens; False too while nothing listens, as right after a kill."""
        try:
            return self.open(path) == 200
        except requests.ConnectionError:
            return False

    def ask(self, path: str) -> requests.Response:
        return self._get(path, {})

    def _get(self, path: str, query: dict[str, int | str]) -> requests.Response:
        headers = {"HX-Request": "true"}
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer}"
        return self.web.get(
            (self.base_url or self.stack.base_url) + path,
            params=query,
            headers=headers,
            allow_redirects=False,
            timeout=PATIENCE,
        )
