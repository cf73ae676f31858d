"""Everything that is marked for translation is translated, with the same places for figures."""

import re
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"%\(\w+\)s")


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
