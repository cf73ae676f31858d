"""Only the workspace uses the browser's language; English pages declare that they are English."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation

FRENCH = {"accept-language": "fr-CA,fr;q=0.9"}


@pytest.fixture(autouse=True)
def before_and_after() -> Iterator[None]:
    """A thread keeps the language of its last request until the next one."""
    with translation.override(translation.get_language()):
        yield


def test_the_frame_speaks_the_browsers_language(database: None) -> None:
    answer = Client(headers=FRENCH).get("/embedded/")
    assert answer["Content-Language"] == "fr"
    assert 'lang="fr"' in answer.content.decode()
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.parametrize("path", ["/", "/privacy/", "/install/", "/dashboard/", "/nowhere/"])
def test_a_page_in_english_is_marked_as_such(database: None, path: str) -> None:
    answer = Client(headers=FRENCH).get(path, follow=True)
    assert answer["Content-Language"] == "en"
    assert 'lang="en"' in answer.content.decode()


def test_a_refusal_in_the_frame_is_said_in_the_browsers_language(database: None) -> None:
    answer = Client(headers=FRENCH).post("/embedded/renewal/", {})
    assert answer.json()["message"] == "Votre connexion a pris fin."
