"""Origins that may frame us, exact ones and wildcards like `https://*.procore.com`. Pure.

A wildcard means what it means in a browser's `frame-ancestors`: one label or more before the named
ones, each compared as a whole, so that neither `evilprocore.com` nor `procore.com` itself matches.
`static/js/origins.js` uses the same rule.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

ANY = "*."
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
FEWEST_LABELS = 2  # after a wildcard: `*.com` would let anyone frame us


def ancestor(text: str) -> str:
    """One origin in the form of the browser's policy. Raises ValueError."""
    parts = urlsplit(text.rstrip("/"))
    if parts.scheme not in {"http", "https"} or parts.netloc == "" or _has_more(text, parts.netloc):
        raise ValueError(text)
    host, _colon, port = parts.netloc.lower().partition(":")
    if _colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(text)
    labels = host.removeprefix(ANY).split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(text)
    few = 1 if labels[-1] == "localhost" else FEWEST_LABELS
    if host.startswith(ANY) and len(labels) < few:
        raise ValueError(text)
    return f"{parts.scheme}://{_without_default(parts.scheme, parts.netloc.lower())}"


def allows(ancestors: Iterable[str], origin: str) -> bool:
    """Whether an origin, as a browser writes it, is permitted."""
    return any(_matches(one, origin) for one in ancestors)


def exact(ancestors: Iterable[str]) -> list[str]:
    """Those that name one origin, so that a link can lead there."""
    return [one for one in ancestors if ANY not in one]


def host_of(ancestor_or_origin: str) -> str:
    """Without scheme, port and wildcard."""
    netloc = urlsplit(ancestor_or_origin).netloc
    return netloc.removeprefix(ANY).partition(":")[0]


def _matches(one: str, origin: str) -> bool:
    if ANY not in one:
        return one == origin
    before, behind = one.split(ANY, 1)
    if not (origin.startswith(before) and origin.endswith("." + behind)):
        return False
    labels = origin[len(before) : -len(behind) - 1].split(".")
    return all(_LABEL.fullmatch(label) for label in labels)


def _has_more(text: str, netloc: str) -> bool:
    """A path, a query, a name and password: none of them belongs to an origin."""
    return text.rstrip("/").partition("://")[2] != netloc or "@" in netloc


def _without_default(scheme: str, netloc: str) -> str:
    """A browser omits the default port from an origin."""
    return netloc.removesuffix(":443" if scheme == "https" else ":80")
