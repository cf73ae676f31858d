"""Screens, mails and errors use the field's words, as the documents do (docs/glossary.md)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests.house.test_language import found_in
from tests.house.test_rules import ROOT, every_error

CATALOG = ROOT / "locale/fr/LC_MESSAGES/django.po"
SCREENS = sorted(
    path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"}
)
COMMENT = re.compile(r"{#.*?#}|{% comment.*?endcomment %}|<!--.*?-->", re.DOTALL)
TRANSLATED = re.compile(r"""{%\s*trans(?:late)?\s+(?P<quote>["'])(?P<text>.*?)(?P=quote).*?%}""")
LITERAL = re.compile(r"""_\((?P<quote>["'])(?P<text>.*?)(?P=quote)\)""")
MARK = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
READ_ALOUD = re.compile(r"""\s(?:aria-label|placeholder|title|alt|value|data-label)="([^"]*)\"""")
TAG = re.compile(r"<[^>]*>")


def read_in(template: str) -> str:
    """The text of a template that people read, without addresses, classes and logic."""
    text = COMMENT.sub(" ", template)
    text = LITERAL.sub(r" \g<text> ", TRANSLATED.sub(r" \g<text> ", text))
    literals = " ".join(found["text"] for found in LITERAL.finditer(template))
    text = MARK.sub(" ", text)
    return " ".join([TAG.sub(" ", text), *READ_ALOUD.findall(text), literals])


@pytest.mark.parametrize(
    "template",
    [
        '<p class="x">Mend it</p>',
        '<p>{% translate "Mend it" %}</p>',
        "<p aria-label=\"{% translate 'Mend it' %}\"></p>",
        '{% translate "A" as a %}{% translate "Mend" as mend %}{% translate "B" as b %}',
        "{% blocktranslate count n=n %}mend {{ n }}{% plural %}mend {{ n }}{% endblocktranslate %}",
        '{{ row.text|default:_("mend it") }}',
        '<input placeholder="Mend it">',
    ],
)
def test_every_way_to_write_a_text_is_read(template: str) -> None:
    assert list(found_in(read_in(template))) == ["mend"]


def test_what_is_no_text_is_not_read() -> None:
    template = '{# mend #}<p class="bells" id="{{ mend }}">{% if mend %}Fix{% endif %}</p>'
    assert not list(found_in(read_in(template)))


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: str(path.name))
def test_no_template_has_a_word_that_we_avoid(path: Path) -> None:
    assert list(found_in(read_in(path.read_text()))) == []


def _messages() -> Iterator[str]:
    with CATALOG.open("rb") as file:
        for message in read_po(file):
            yield from [message.id] if isinstance(message.id, str) else message.id


def test_no_text_of_the_catalogue_has_a_word_that_we_avoid() -> None:
    texts = list(_messages())
    assert len(texts) > 500
    assert [text for text in texts if any(found_in(text))] == []


def test_no_error_has_a_word_that_we_avoid() -> None:
    texts = [text for kind in every_error() for text in (kind.user_message, kind.remedy)]
    assert len(texts) > 100
    assert [text for text in texts if any(found_in(text))] == []
