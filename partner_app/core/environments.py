"""Procore's environments: which login, API and web origins belong together. Pure.

They never share credentials or tokens [development_environments], so addresses of two different
environments are refused before the app starts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from partner_app.core.frames import exact, host_of

FEDERAL = "procoregov.com"


@dataclass(frozen=True)
class Environment:
    """`web_url` is where records open when no frame gives its own; empty where it is unknown."""

    name: str
    login_url: str
    api_url: str
    web_url: str = ""


ENVIRONMENTS = (
    Environment(
        "production", "https://login.procore.com", "https://api.procore.com",
        "https://app.procore.com",
    ),
    Environment(
        "sandbox", "https://login-sandbox.procore.com", "https://sandbox.procore.com",
        "https://sandbox.procore.com",
    ),
    Environment(
        "monthly sandbox", "https://login-sandbox-monthly.procore.com",
        "https://api-monthly.procore.com",
    ),
    Environment("Federal zone", "https://login.procoregov.com", "https://api.procoregov.com"),
)  # fmt: skip
ELSEWHERE = "stand-in"


def environment_of(login_url: str, api_url: str) -> Environment:
    """Raises MixedEnvironments where only one of the two is Procore's, or they do not match."""
    for known in ENVIRONMENTS:
        if login_url == known.login_url and api_url == known.api_url:
            return known
    beside = "because {} is that of Procore's {}"
    for known in ENVIRONMENTS:
        if login_url == known.login_url:
            why = beside.format("PROCORE_LOGIN_URL", known.name)
            raise MixedEnvironments("PROCORE_API_URL", f"{known.api_url}, {why}")
    for known in ENVIRONMENTS:
        if api_url == known.api_url:
            why = beside.format("PROCORE_API_URL", known.name)
            raise MixedEnvironments("PROCORE_LOGIN_URL", f"{known.login_url}, {why}")
    return Environment(ELSEWHERE, login_url, api_url)


def web_origin(found: Environment, ancestors: Iterable[str]) -> str:
    """Where a record opens outside a frame: a configured exact origin, else Procore's own.

    Raises MixedEnvironments where nothing names it, or the frames belong to the other environment.
    """
    name, given = "PROCORE_FRAME_ANCESTORS", list(ancestors)
    federal = _federal(found.login_url)
    if found.name != ELSEWHERE and any(
        _federal(one) != federal for one in given if _procores(host_of(one))
    ):
        raise MixedEnvironments(name, f"origins of Procore's {found.name} alone")
    named = exact(given)
    if found.web_url and (not named or found.web_url in named):
        return found.web_url
    if not named:
        raise MixedEnvironments(
            name,
            f"at least one origin without a wildcard: links to Procore's {found.name} open there",
        )
    return named[0]


class MixedEnvironments(ValueError):
    """`variable` does not fit the others; `meaning` says what it should be."""

    def __init__(self, variable: str, meaning: str) -> None:
        self.variable, self.meaning = variable, meaning
        super().__init__(variable)


def _federal(address: str) -> bool:
    host = host_of(address)
    return host == FEDERAL or host.endswith("." + FEDERAL)


def _procores(host: str) -> bool:
    return any(host == own or host.endswith("." + own) for own in (FEDERAL, "procore.com"))
