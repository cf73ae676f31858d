"""The switches that change the form of answers: envelopes, types, what is there and what is not.

They keep the meaning, except where the sentence of one says otherwise.
"""

import random
import re
from typing import Any

from simulator.wild import AS_IT_IS, Spot, on_answer, on_record, on_value

OFTEN, SELDOM = 0.3, 0.05
DATE = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d")
AMOUNT = re.compile(r"-?\d+\.\d{1,4}")
STAMPS = {"created_at", "updated_at", "deleted_at"}


@on_answer
def lists_under_data(document: Any, spot: Spot) -> Any:
    """A list of version 1 comes as {"data": […]}."""
    return {"data": document} if isinstance(document, list) else AS_IT_IS


@on_answer
def lists_under_their_tool(document: Any, spot: Spot) -> Any:
    """A list comes under a key named after its tool."""
    if isinstance(document, dict) and isinstance(document.get("data"), list):
        document = document["data"]
    return {spot.tool: document} if isinstance(document, list) else AS_IT_IS


@on_answer
def lists_bare(document: Any, spot: Spot) -> Any:
    """A list of version 2 comes without its envelope."""
    wrapped = isinstance(document, dict) and isinstance(document.get("data"), list)
    return document["data"] if wrapped else AS_IT_IS


@on_answer
def records_under_data(document: Any, spot: Spot) -> Any:
    """A single record of version 1 comes as {"data": {…}}."""
    single = isinstance(document, dict) and "data" not in document
    return {"data": document} if single else AS_IT_IS


@on_value(OFTEN)
def dates_as_moments(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A date comes as the first moment of its day."""
    is_date = isinstance(value, str) and DATE.fullmatch(value)
    return f"{value}T00:00:00Z" if is_date else AS_IT_IS


@on_value(OFTEN)
def moments_as_dates(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A moment comes as its day: the time is lost. Stamps of change keep theirs."""
    found = MOMENT.match(value) if isinstance(value, str) else None
    return found[1] if found and spot.field not in STAMPS else AS_IT_IS


@on_value(OFTEN)
def amounts_with_separators(value: Any, spot: Spot, draw: random.Random) -> Any:
    """An amount written as text has separators between its thousands."""
    if isinstance(value, str) and AMOUNT.fullmatch(value):
        whole, point, cents = value.partition(".")
        return f"{int(whole):,}{point}{cents}" if abs(int(whole)) >= 1000 else AS_IT_IS
    return AS_IT_IS


@on_value(OFTEN)
def numbers_as_text(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A number comes as text, ids too."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number else AS_IT_IS


@on_record(OFTEN)
def extra_keys(record: dict[str, Any], spot: Spot, draw: random.Random) -> None:
    """A record has keys that nobody lists, with values of any kind."""
    values: list[Any] = [None, 0, "", [], {}, [[{}]], {"id": None, "name": ["x"]}, 1e300, "﷽" * 40]
    record[f"x_{draw.randrange(1000)}"] = draw.choice(values)
