"""The root of all errors; docs/dev/reference/errors.md lists them."""

from enum import StrEnum

from partner_app.core.i18n import gettext_noop


class Blame(StrEnum):
    """Who can fix it. Only our own faults raise alerts."""

    US = "us"
    TENANT = "tenant"
    PROCORE = "procore"


class TiebackError(Exception):
    """People see `user_message` and `remedy`, with the given facts filled in.

    Retries respect `transient`.
    """

    code = "tieback.error"
    user_message = gettext_noop("Something went wrong.")
    remedy = gettext_noop("Try again. If the problem remains, write to support.")
    transient = False
    blame = Blame.US
    status = 500

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        self.details: dict[str, object] = {}  # what a script gets besides the text
        super().__init__(self.message)

    @property
    def message(self) -> str:
        return self.user_message.format(**self.facts)

    @property
    def advice(self) -> str:
        return self.remedy.format(**self.facts)
