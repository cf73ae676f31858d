"""The simulator for tests: its control API, and signing in as a person over HTTP."""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

PATIENCE = 30  # seconds


@dataclass
class Procore:
    announcement: dict[str, Any]

    @property
    def company_id(self) -> int:
        return int(self.announcement["companies"][0]["id"])

    @property
    def neighbour_id(self) -> int:
        return int(self.announcement["companies"][1]["id"])

    @property
    def without_app_id(self) -> int:
        return int(self.announcement["companies"][2]["id"])

    @property
    def redirect_uri(self) -> str:
        return os.environ["BASE_URL"] + "/oauth/callback/"

    def authorization_address(self, **changes: str) -> str:
        query = {
            "response_type": "code",
            "client_id": self.announcement["client_id"],
            "redirect_uri": self.redirect_uri,
            "state": "as-given",
        }
        return f"{self.announcement['login']}/oauth/authorize?{urlencode({**query, **changes})}"

    def token_answer(self, **form: str) -> requests.Response:
        keys = {name: self.announcement[name] for name in ("client_id", "client_secret")}
        address = self.announcement["login"] + "/oauth/token"
        return requests.post(address, data={**keys, **form}, timeout=PATIENCE)

    def tokens(self, **form: str) -> dict[str, Any]:
        answer = self.token_answer(**form)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def control(self, where: str, /, **body: Any) -> Any:
        address = f"{self.announcement['control']}/{where}"
        answer = (
            requests.post(address, json=body, timeout=PATIENCE)
            if body
            else requests.get(address, timeout=PATIENCE)
        )
        answer.raise_for_status()
        return answer.json()

    def reset(self) -> None:
        """The initial world, all projects permitted, plenty of calls."""
        self.control("reset", all=True)
        self.control("rates", per_hour=1_000_000, per_spike=100_000)
        self.control("installs", company_id=self.neighbour_id, permitted_projects="all")

    def wild(self, *switches: str, seed: int = 1, schemas: dict[str, Any] | None = None) -> None:
        """From now on answers deviate by these switches, or by all; see simulator/wild.py."""
        self.control("wild", switches=switches or "wild", seed=seed, schemas=schemas or {})

    def tame(self) -> None:
        self.control("wild", switches=[])

    def struck(self, *switches: str) -> set[int]:
        """Ids of the records that these switches have changed since they were turned on."""
        found = self.control("wild")["struck"]
        return {int(key) for name in switches for key in found.get(name, []) if key.isdigit()}

    def projects(self, company_id: int | None = None) -> list[int]:
        wanted = company_id or self.company_id
        for row in self.control("installs"):
            if row["company_id"] == wanted:
                return [int(value) for value in row["permitted_projects"]]
        return []

    def records(self, project_id: int, kind: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.control(f"projects/{project_id}/{kind}")
        return rows

    def budget_views(self, company_id: int | None = None) -> list[dict[str, Any]]:
        """The company's own first, then the standard one."""
        where = f"companies/{company_id or self.company_id}/budget-views"
        views: list[dict[str, Any]] = self.control(where)
        return views

    def violations(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.control("violations")
        return rows

    def ledger(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.control("ledger")
        return rows

    def person(self, role: str, company_id: int | None = None) -> dict[str, Any]:
        wanted = company_id or self.company_id
        people: list[dict[str, Any]] = self.control("people")
        return next(p for p in people if p["role"] == role and wanted in p["company_ids"])

    def authorize(self, address: str, person_id: int, *, decision: str = "allow") -> dict[str, str]:
        """Walks through the login pages like a browser; returns the callback's parameters."""
        with requests.Session() as browser:
            browser.trust_env = False
            login = self.announcement["login"]
            form: dict[str, Any] = {"person": person_id, "then": f"{login}/"}
            browser.post(f"{login}/sessions", data=form, allow_redirects=False, timeout=PATIENCE)
            answer = browser.get(address, allow_redirects=False, timeout=PATIENCE)
            if answer.status_code == 200:
                given = {
                    key: values[0] for key, values in parse_qs(urlsplit(address).query).items()
                }
                answer = browser.post(
                    f"{login}/oauth/decision",
                    data={**given, "decision": decision},
                    allow_redirects=False,
                    timeout=PATIENCE,
                )
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return {key: values[0] for key, values in query.items()}
