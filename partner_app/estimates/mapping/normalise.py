"""The parts of a description that matter in a comparison. Pure."""

import hashlib

from partner_app.tabular.units import unit_name


def words(description: str) -> str:
    """Without case, punctuation and repeated spaces."""
    kept = [character if character.isalnum() else " " for character in description.casefold()]
    return " ".join("".join(kept).split())


def unit_key(unit: str) -> str:
    """One name for all spellings of a unit; an unknown one unchanged."""
    return unit_name(unit) or unit.lower()


def group_of(item_code: str, description: str, unit: str, cost_type: str = "") -> str:
    """Equal for lines that are mapped together."""
    key = "\n".join((item_code, words(description), unit_key(unit), cost_type.casefold()))
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
