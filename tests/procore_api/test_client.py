"""The client against the simulator: permitted retries, exact decimals, limits, errors by name."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import (
    Forbidden,
    NotConnected,
    NotFoundOrHidden,
    ProcoreError,
    RateLimited,
    Refused,
    ServerTrouble,
    Unauthorized,
    Unreachable,
    Unreadable,
)
from integrations.procore.api.rate import (
    CallBudget,
    Held,
    Permits,
    RateHeaders,
    Step,
    retry_at,
    standing_from,
)
from partner_app.connections.access import FixedBearer
from partner_app.connections.errors import ReconnectNeeded
from partner_app.core import clock
from tests.procore import Procore


class OneProcess:
    """The call budget of one process, asked one call at a time."""

    def __init__(self) -> None:
        self.budget, self.bar = CallBudget(), 0.0
        self.permits = Permits(self, reserve=0.0, batch=1)

    def take(self) -> datetime | None:
        held = self.permits.take()
        return datetime.fromtimestamp(held.until, UTC) if held else None

    def heard(
        self, standing: RateHeaders | None, barred_until: datetime | None = None, *, status: int = 0
    ) -> None:
        self.permits.heard(standing, barred_until.timestamp() if barred_until else 0.0)

    def give_back(self) -> None:
        """No permits were taken in advance."""

    def now(self) -> float:
        return time.time()

    def barred_until(self) -> float:
        return self.bar

    def change(self, step: Step, barred_until: float) -> tuple[int, Held]:
        self.bar = max(self.bar, barred_until)
        self.budget, granted, held = step(self.budget, ())
        return granted, held


@dataclass
class Renewing:
    """A bearer whose first token may be rejected; it records the rejected tokens."""

    tokens: list[str]
    refused: list[str] = field(default_factory=list)

    def token(self) -> str:
        return self.tokens[0]

    def renew(self, refused: str) -> str:
        self.refused.append(refused)
        self.tokens.pop(0)
        return self.tokens[0]


def service_token(procore: Procore) -> str:
    return str(procore.tokens(grant_type="client_credentials")["access_token"])


def client_for(
    procore: Procore, bearer: object = None, company: int | None = None
) -> ProcoreClient:
    return ProcoreClient(
        procore.announcement["api"],
        "Tieback/tests",
        bearer or FixedBearer(service_token(procore)),  # type: ignore[arg-type]  # either kind
        company or procore.company_id,
        OneProcess(),
    )


@pytest.fixture
def client(procore: Procore) -> ProcoreClient:
    return client_for(procore)


def rfis(procore: Procore) -> str:
    return f"/rest/v1.0/projects/{procore.projects()[0]}/rfis"


def test_a_list_is_read_page_by_page_to_its_end(client: ProcoreClient, procore: Procore) -> None:
    rows = list(client.rows(rfis(procore), {}))
    assert len(rows) == len(procore.records(procore.projects()[0], "rfis"))
    assert client.calls == 1  # the page is as large as the version allows


def test_numbers_arrive_as_exact_decimals(client: ProcoreClient, procore: Procore) -> None:
    project = procore.projects()[0]
    line = procore.records(project, "budget_line_items")[0]["id"]
    path = f"projects/{project}/budget_line_items/{line}"
    before = procore.records(project, "budget_line_items")[0]["original_budget_amount"]
    procore.control(path, set={"original_budget_amount": "1234567.89"})
    shown = client.get(f"/rest/v1.1/budget_line_items/{line}", project_id=project)
    assert shown["original_budget_amount"] == Decimal("1234567.89")
    procore.control(path, set={"original_budget_amount": str(before)})


@pytest.mark.parametrize("kind", ["status", "truncate", "html", "reset_before", "reset_after"])
def test_a_read_survives_two_bad_answers(
    client: ProcoreClient, procore: Procore, kind: str
) -> None:
    procore.control("faults", kind=kind, path="/rest/*/rfis", times=2, status=502)
    assert client.get(rfis(procore))


@pytest.mark.parametrize(
    ("kind", "error"),
    [("truncate", Unreadable), ("status", ServerTrouble), ("reset_before", Unreachable)],
)
def test_a_read_gives_up_with_the_cause_by_name(
    client: ProcoreClient, procore: Procore, kind: str, error: type[ProcoreError]
) -> None:
    procore.control("faults", kind=kind, path="/rest/*/rfis", times=99, status=500)
    with pytest.raises((error, Unreachable)):
        client.get(rfis(procore))


@pytest.mark.parametrize("kind", ["status", "reset_before", "reset_after", "truncate"])
def test_a_write_is_sent_once_whatever_becomes_of_its_answer(
    client: ProcoreClient, procore: Procore, kind: str
) -> None:
    path = "/rest/v1.0/budget_line_items/sync"
    procore.control("faults", kind=kind, method="POST", path=path, times=99, status=500)
    with pytest.raises((ServerTrouble, Unreachable)):
        client.write("POST", path, {"project_id": procore.projects()[0], "budget_line_items": []})
    posts = [call for call in procore.ledger() if call["path"] == path]
    assert len(posts) == 1


def test_a_refused_token_is_renewed_once(procore: Procore) -> None:
    bearer = Renewing(["spent", service_token(procore)])
    assert client_for(procore, bearer).get(rfis(procore))
    assert bearer.refused == ["spent"]
    with pytest.raises(Unauthorized):
        client_for(procore, Renewing(["bad", "worse"])).get(rfis(procore))
    with pytest.raises(ReconnectNeeded):
        client_for(procore, FixedBearer("bad")).get(rfis(procore))


def test_a_limit_that_is_used_up_is_not_tried(client: ProcoreClient, procore: Procore) -> None:
    procore.control("rates", per_hour=1000, per_spike=2)
    with pytest.raises(RateLimited) as caught:
        [client.get(rfis(procore)) for _ in range(10)]
    assert caught.value.until > clock.now()
    assert not [call for call in procore.ledger() if call["status"] == 429]
    assert procore.violations() == []


def test_after_a_429_it_says_until_when_to_wait(client: ProcoreClient, procore: Procore) -> None:
    procore.control("faults", kind="status", path="/rest/*", status=429, retry_after=7)
    with pytest.raises(RateLimited) as caught:
        client.get(rfis(procore))
    left = (caught.value.until - clock.now()).total_seconds()
    assert 5 < left <= 8


def without_tools(procore: Procore) -> None:
    procore.control("service-tools", tools=[])
    client_for(procore).get(rfis(procore))


def refusals(procore: Procore) -> dict[type[ProcoreError], Callable[[], object]]:
    client = client_for(procore)
    hooks = f"/rest/v2.0/companies/{procore.company_id}/webhooks/hooks"
    hook = {"payload_version": "v1", "namespace": "x", "destination_url": "https://x.example/"}
    return {
        NotFoundOrHidden: lambda: client.get("/rest/v1.0/projects/17/rfis"),
        Forbidden: lambda: without_tools(procore),
        NotConnected: lambda: client_for(procore, company=procore.without_app_id).get(
            "/rest/v1.1/projects", company_id=procore.without_app_id
        ),
        Refused: lambda: client.write("POST", hooks, hook),
    }


@pytest.mark.parametrize("error", [NotFoundOrHidden, Forbidden, NotConnected, Refused])
def test_each_refusal_has_its_own_name(procore: Procore, error: type[ProcoreError]) -> None:
    procore.control("service-tools", tools=["rfis"])
    with pytest.raises(error) as caught:
        refusals(procore)[error]()
    if isinstance(caught.value, Refused):
        assert "payload_version must be v4.0" in caught.value.message


def test_every_call_names_the_app_and_the_company(client: ProcoreClient, procore: Procore) -> None:
    client.get(rfis(procore))
    call = procore.ledger()[-1]
    assert call["user_agent"] == "Tieback/tests"
    assert call["company_id"] == procore.company_id


def test_headers_of_the_rate_limit_are_read_leniently() -> None:
    now = clock.now()
    assert standing_from({"X-Rate-Limit-Remaining": "few"}, now) is None
    assert retry_at({}, now, timedelta(seconds=60)) >= now + timedelta(seconds=60)
    until = retry_at({"Retry-After": "5"}, now, timedelta(seconds=60))
    assert timedelta(seconds=5) <= until - now < timedelta(seconds=6.1)
