"""Webhooks v2.0: delivered in order, retried, duplicated, shuffled, silent and discarded."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.procore import Procore
from tests.simulator.calls import Api, as_person
from tests.waiting import until


class Receiver:
    """A destination that answers as configured and records what arrives."""

    def __init__(self) -> None:
        self.events: list[tuple[dict[str, Any], str]] = []
        self.statuses: list[int] = []  # for the next deliveries; then 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                if status < 300:
                    sender = self.headers.get("Authorization", "")
                    receiver.events.append((json.loads(body), sender))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def ids(self) -> list[str]:
        return [event["id"] for event, _ in self.events]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def change(procore: Procore, receiver: Receiver) -> Iterator[Callable[[int], None]]:
    """Adds a hook on RFIs; returns a function that changes that many of them."""
    api = as_person(procore, "admin")
    hook = subscribe(api, receiver.address)
    project = procore.projects()[0]
    rows = procore.records(project, "rfis")

    def some(count: int) -> None:
        for row in rows[:count]:
            procore.control(f"projects/{project}/rfis/{row['id']}", set={"subject": "Changed"})

    yield some
    procore.control("webhooks", duplicate=0)
    path = f"/rest/v2.0/companies/{procore.company_id}/webhooks/hooks/{hook}"
    assert api.call("DELETE", path).status_code == 204


def subscribe(api: Api, address: str) -> str:
    path = f"/rest/v2.0/companies/{api.company_id}/webhooks/hooks"
    body = {
        "payload_version": "v4.0",
        "namespace": "tests",
        "destination_url": address,
        "destination_headers": {"Authorization": "Bearer of-this-hook"},
    }
    hook = str(api.call("POST", path, json=body).json()["data"]["id"])
    wanted = [{"resource_name": "RFIs", "event_type": "update"}]
    assert api.call("POST", f"{path}/{hook}/triggers/bulk", json=wanted).status_code == 201
    return hook


def test_a_change_is_told_with_our_own_authorization_and_ids_as_texts(
    change: Callable[[int], None], receiver: Receiver, procore: Procore
) -> None:
    change(1)
    until(lambda: receiver.events)
    event, sender = receiver.events[0]
    assert sender == "Bearer of-this-hook"
    assert event["reason"] == "update"
    assert event["resource_type"] == "RFIs"
    assert event["company_id"] == str(procore.company_id)
    assert len(event["id"]) == 26


def test_a_failure_pauses_the_queue_and_one_success_resumes_it_in_order(
    change: Callable[[int], None], receiver: Receiver, procore: Procore
) -> None:
    procore.control("webhooks", time_scale=20)
    receiver.statuses = [500, 503]
    change(4)
    until(lambda: len(receiver.events) == 4)
    assert receiver.ids() == sorted(receiver.ids())


def test_events_come_twice_or_in_another_order_or_never_when_asked_to(
    change: Callable[[int], None], receiver: Receiver, procore: Procore
) -> None:
    procore.control("webhooks", duplicate=1.0, reorder=True)
    change(5)
    until(lambda: len(receiver.events) == 10)
    assert len(set(receiver.ids())) == 5
    procore.control("webhooks", silent=True)
    change(5)
    assert len(receiver.events) == 10


def test_after_twelve_hours_of_failure_all_queued_events_are_discarded(
    change: Callable[[int], None], receiver: Receiver, procore: Procore
) -> None:
    procore.control("webhooks", time_scale=40_000)
    receiver.statuses = [500] * 10_000
    change(3)
    api = as_person(procore, "admin")
    hooks = f"/rest/v2.0/companies/{procore.company_id}/webhooks/hooks"
    hook = api.call("GET", hooks, params={"per_page": 100}).json()["data"][-1]["id"]

    def discarded() -> bool:
        path = f"{hooks}/{hook}/deliveries?filter[status]=discarded"
        return len(api.call("GET", path).json()["data"]) == 3

    until(discarded)
    assert receiver.events == []
