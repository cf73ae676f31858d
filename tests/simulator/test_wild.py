"""The switches of simulator/wild.py: off at the start, the same deviations for the same seed."""

from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.wild import SWITCHES
from tests.procore import Procore
from tests.simulator.calls import Api, as_service

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"


@pytest.fixture
def service(procore: Procore) -> Api:
    return as_service(procore)


def rfis(service: Api) -> Any:
    project = service.procore.projects()[0]
    return service.call("GET", f"/rest/v1.0/projects/{project}/rfis").json()


def test_nothing_deviates_before_a_switch_is_turned_nor_after_a_reset(service: Api) -> None:
    before = rfis(service)
    service.procore.wild()
    assert rfis(service) != before
    service.procore.control("wild", switches=[])
    assert rfis(service) == before
    service.procore.wild()
    service.procore.reset()
    assert service.procore.control("wild")["on"] == []


def test_the_same_seed_deviates_in_the_same_way_and_another_one_in_another(service: Api) -> None:
    service.procore.wild(seed=3)
    first, again = rfis(service), rfis(service)
    assert first == again
    service.procore.wild(seed=4)
    assert rfis(service) != first


def test_a_switch_that_does_not_exist_is_refused(service: Api) -> None:
    with pytest.raises(requests.HTTPError):
        service.procore.wild("no_such_switch")


def test_every_switch_is_documented() -> None:
    text = DOCUMENT.read_text()
    assert [name for name in SWITCHES if f"| `{name}` |" not in text] == []
