"""What every process must learn about a token within a moment: that it was refused or replaced.

A flag holds the fingerprint of a credential's newest token; a leading minus means that Procore
refused that token.
"""

from partner_app.core.flags import flag, raise_flag
from partner_app.core.secrets import fingerprint

KEPT = 2 * 3600  # seconds; longer than a token lives


def note_current(key: str, token: str) -> None:
    """Call this after the token was stored."""
    raise_flag(key, _mark(token), seconds=KEPT)


def note_refused(key: str, token: str) -> None:
    """Unless another token has replaced it already."""
    if not was_replaced(key, token):
        raise_flag(key, "-" + _mark(token), seconds=KEPT)


def was_refused(key: str, token: str) -> bool:
    return flag(key) == "-" + _mark(token)


def was_replaced(key: str, token: str) -> bool:
    return flag(key).removeprefix("-") not in {"", _mark(token)}


def _mark(token: str) -> str:
    return fingerprint(token)[:12].hex()
