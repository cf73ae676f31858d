"""A person in the frame: signs in by the pop-up's steps over HTTP, then sends a bearer."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from partner_app.connections.lookups import may_look
from tests.procore import Procore


@dataclass
class Frame:
    """One browser window. `popup` is the browser's first-party side, with its cookies."""

    procore: Procore
    company_id: int
    popup: Client = field(default_factory=Client)
    nonce: str = field(default_factory=lambda: secrets.token_hex(32))
    bearer: str = ""

    def to_procore(self) -> str:
        """The address of Procore's sign-in page that the pop-up opens."""
        query: dict[str, int | str] = {"company_id": self.company_id, "nonce": self.nonce}
        answer = self.popup.get("/embedded/sign-in/", query)
        assert answer.status_code == 302
        return str(answer["Location"])

    def callback(self, **query: str) -> Any:
        return self.popup.get("/oauth/callback/", query)

    def come_back(self, person_id: int, *, decision: str = "allow") -> Any:
        return self.callback(
            **self.procore.authorize(self.to_procore(), person_id, decision=decision)
        )

    def code_in(self, answer: Any) -> str:
        found = re.search(r'data-code="([^"]+)"', answer.content.decode())
        assert found, answer.content.decode()
        return found[1]

    def exchange(self, code: str, *, nonce: str = "") -> Any:
        body = {"code": code, "nonce": nonce or self.nonce}
        return Client().post("/embedded/session/", body)

    def sign_in(self, role: str) -> "Frame":
        person = self.procore.person(role, self.company_id)["id"]
        answer = self.come_back(person)
        session = self.exchange(self.code_in(answer)).json()
        self.bearer = session["token"]
        return self

    def connect(self, role: str = "admin") -> Any:
        """Signs in where the company is not connected yet, up to the choice of a company.

        The company was looked for a moment ago, so the sign-in does not look for it again.
        """
        may_look(str(self.company_id))
        answer = self.come_back(self.procore.person(role, self.company_id)["id"])
        if answer.status_code == 302:
            answer = self.popup.get(urlsplit(answer["Location"]).path)
        return answer

    def choose(self, company_id: int) -> Any:
        return self.popup.post("/install/choose/", {"company_id": company_id})

    def get(self, path: str, /, **query: Any) -> Any:
        return self.ask("GET", path, query)

    def post(self, path: str, /, **body: Any) -> Any:
        return self.ask("POST", path, body)

    def ask(self, method: str, path: str, query: dict[str, Any]) -> Any:
        """Like htmx: no cookie, the bearer in a header."""
        headers = {"authorization": f"Bearer {self.bearer}", "hx-request": "true"}
        client = Client(headers=headers)
        answer: Any = client.get(path, query) if method == "GET" else client.post(path, query)
        assert not answer.cookies, "an embedded answer sets no cookie"
        return answer


def text_of(answer: Any) -> str:
    """What a person reads, without tags and repeated white space."""
    bare = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(bare.split())
