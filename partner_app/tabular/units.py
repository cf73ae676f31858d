"""Synonyms of units to one name each. Pure."""

import re

SYNONYMS: dict[str, tuple[str, ...]] = {
    "ea": ("each", "ea", "eac", "no", "nos", "pc", "pcs", "unit", "units", "u"),
    "lf": ("lf", "lnft", "lft", "linft", "linearfoot", "linearfeet", "ft", "foot", "feet"),
    "sy": ("sy", "sys", "syd", "sqyd", "squareyard", "squareyards"),
    "sf": ("sf", "sft", "sqft", "squarefoot", "squarefeet"),
    "cy": ("cy", "cys", "cyd", "cuyd", "cubicyard", "cubicyards"),
    "cft": ("cft", "cf", "cuft", "cubicfoot", "cubicfeet"),
    "tons": ("ton", "tons", "tn"),
    "tonne": ("tonne", "tonnes", "t", "mt"),
    "m": ("m", "ml", "metre", "metres", "meter", "meters"),
    "m2": ("m2", "m²", "sqm"),
    "m3": ("m3", "m³", "cum"),
    "kg": ("kg", "kgs"),
    "ls": ("ls", "lsum", "lump", "lumpsum", "lot", "allow", "allowance", "forfait"),
    "lbs": ("lb", "lbs", "pound", "pounds"),
    "gal": ("gal", "gals", "gallon", "gallons"),
    "hr": ("hr", "hrs", "hour", "hours", "mh", "manhour"),
    "day": ("day", "days", "dy"),
    "mo": ("mo", "mos", "mon", "month", "months", "mth"),
    "acre": ("ac", "acre", "acres"),
    "mile": ("mi", "mile", "miles"),
    "$": ("dol", "dollar", "dollars", "usd"),
}
_NAMES = {synonym: name for name, synonyms in SYNONYMS.items() for synonym in synonyms}


def unit_name(raw: str) -> str:
    """The one name of a unit; empty when it is unknown."""
    if raw.strip() == "$":
        return "$"
    return _NAMES.get(re.sub(r"[^a-z23²³]", "", raw.lower()), "")
