"""Generated pages match the code: `make reference` updates them."""

import pytest
from django.test import Client

from partner_app.dashboard.metrics import HELP
from tools.reference import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run make reference"


def test_every_metric_is_explained_and_given(synced: int) -> None:
    text = Client().get("/metrics").content.decode()
    given = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert {name.removesuffix("_total") for name in given} == set(HELP)
