"""Everything that is marked for translation is translated, with the same places for figures."""

import re

from babel.messages.pofile import read_po
from django.utils import translation

from integrations.procore.api.errors import ProcoreError
from partner_app.core.templatetags.show import advice
from partner_app.embedded.errors import NotEntitled, ViewerError
from partner_app.estimates.errors import ReadingError
from partner_app.handoffs.errors import HandoffError
from partner_app.insights.errors import InsightError
from tests.house.test_rules import ROOT, every_error

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


def test_what_is_refused_in_the_frame_is_said_in_french() -> None:
    """Errors know no framework; their words are marked there and translated where they show."""
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
