"""Every text marked for translation is translated, with the same placeholders."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils import translation
from django.utils.translation.template import templatize

from integrations.procore.api.errors import ProcoreError
from partner_app.core.templatetags.show import advice
from partner_app.embedded.errors import NotEntitled, ViewerError
from partner_app.handoffs.errors import HandoffError
from partner_app.insights.errors import InsightError
from partner_app.tabular.errors import ReadingError
from tests.house.test_rules import CODE, ROOT, every_error

KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
PLACE = re.compile(r"%\(\w+\)s|\{\w+(?::[^}]*)?\}")


def test_no_text_is_left_untranslated_and_every_figure_has_its_place() -> None:
    for path in (ROOT / "locale").rglob("*.po"):
        with path.open("rb") as file:
            catalog = read_po(file)
        assert len(catalog) > 250
        for message in catalog:
            if not message.id:
                continue
            said = [message.id] if isinstance(message.id, str) else list(message.id)
            given = message.string or ""
            here = [given] if isinstance(given, str) else list(given)
            assert all(here), (path.name, said)
            assert not message.fuzzy
            for text in here:
                assert set(PLACE.findall(text)) == set(PLACE.findall(said[-1])), (said, text)


def marked_in(path: Path) -> Iterator[str]:
    """The texts that a module or a template marks for translation; for plurals the first form."""
    text = path.read_text()
    source = text if path.suffix == ".py" else templatize(text)
    for _line, found, _comments, _context in extract("python", BytesIO(source.encode()), KEYWORDS):
        yield found if isinstance(found, str) else found[0]


def test_every_marked_text_is_in_the_catalogue() -> None:
    """A text changed only in the code would appear in English to French readers."""
    with (ROOT / "locale/fr/LC_MESSAGES/django.po").open("rb") as file:
        known = {m.id if isinstance(m.id, str) else m.id[0] for m in read_po(file)}
    paths = [*CODE, *(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")]
    marked = {text: path for path in paths for text in marked_in(path)}
    assert len(marked) > 500
    assert {text: path for text, path in marked.items() if text not in known} == {}


def test_what_is_refused_in_the_frame_is_said_in_french() -> None:
    """Errors are framework-independent: their texts are marked there and translated on display."""
    operators = {"handoff.no_plan", "handoff.not_approved", "estimate.mapping_unreadable",
                 "estimate.project_unknown", "estimate.lease_lost", "handoff.lease_lost",
                 "handoff.write_not_proved"}  # fmt: skip
    trees = (ViewerError, ReadingError, HandoffError, InsightError, ProcoreError)
    kinds = [kind for kind in every_error() if issubclass(kind, trees) and kind not in trees]
    assert len(kinds) > 30
    with translation.override("fr"):
        for kind in kinds:
            if kind.code not in operators:
                assert translation.gettext(kind.user_message) != kind.user_message
    refused = NotEntitled(tool="Budget")
    with translation.override("fr"):
        assert advice(refused) == (
            "Demandez à l’administrateur du projet dans Procore l’accès à l’outil Budget."
        )
    assert advice(refused) == refused.advice
