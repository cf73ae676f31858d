"""Words of this product and installation, which a guess would try first."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

# Listed for operators in docs/security/controls.md.
WORDS = ("tieback", "procore", "partner", "dashboard", "marketplace", "estimate", "budget")
REST = 8  # letters that must remain besides them


class NoWordsOfThisPlace:
    """A password needs eight letters or digits beside the words of the product and the host."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        host = (urlsplit(settings.BASE_URL).hostname or "").split(".")
        words = {*WORDS, *(label for label in host if len(label) > 3)}
        found = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
        rest, times = re.subn(found, "", password.lower())
        if times and len(re.sub(r"[\W_]", "", rest)) < REST:
            raise ValidationError(self.get_help_text(), code="password_of_this_place")

    def get_help_text(self) -> str:
        return (
            "Your password needs at least eight letters or digits beside words like Tieback, "
            "Procore, or this site's name."
        )
