"""The companies where the service account is installed, according to Procore.

One list covers one of Procore's regions, that of the company in the header (Using DMSAs with MPR,
[oauth_client_credentials]). So a company missing from a list is checked with its own header.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from django.core.cache import cache

from integrations.procore.api.errors import NotConnected, ProcoreError, Refused

COMPANIES = "/rest/v1.0/companies"
GOOD_FOR = 600  # seconds for which the response to a company's own header is used
NOT_THERE_FOR = 86_400  # for a refusal: a company that is not connected is not checked again


@dataclass
class CompanyLists:
    """The lists of one pass. `ask` reads a list with a company's header, or without one (None)."""

    ask: Callable[[int | None], Mapping[int, str]]
    found: dict[int, str] = field(default_factory=dict)  # names by id

    def begin(self) -> "CompanyLists":
        """Starts with the list that needs no company. Raises ProcoreError."""
        with suppress(Refused):  # a service account of several regions must name a company
            self.found |= self.ask(None)
        return self

    def has(self, company_id: int) -> bool | None:
        """None where the response is not conclusive. Cached for a while, also between passes."""
        if company_id in self.found:
            return True
        key = _key(company_id)
        known: bool | None = cache.get(key)
        if known is None:
            known = self._asked(company_id)
            if known is not None:
                cache.set(key, known, GOOD_FOR if known else NOT_THERE_FOR)
        return known

    def _asked(self, company_id: int) -> bool | None:
        try:
            self.found |= self.ask(company_id)
        except NotConnected:
            return False
        except ProcoreError:
            return None
        return True  # Procore accepts the company, whether or not the list names it


def forget_answer(company_id: int) -> None:
    """Call this when Procore has said something else since."""
    cache.delete(_key(company_id))


def _key(company_id: int) -> str:
    return f"tieback:installed:{company_id}"
