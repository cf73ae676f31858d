"""The switches that change the form of answers: envelopes, types, present and missing keys.

They keep the meaning, except where a switch's sentence says what is lost.
"""

import random
import re
from decimal import Decimal
from typing import Any

from simulator.wild import AS_IT_IS, Spot, on_answer, on_record, on_value

OFTEN, SELDOM = 0.3, 0.05
DATE = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d")
AMOUNT = re.compile(r"-?\d+\.\d{1,4}")
WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")
STAMPS = {"created_at", "updated_at", "deleted_at"}
# Without these it is no record; Procore always sends them.
ALWAYS_THERE = STAMPS | {
    "id", "name", "number", "title", "status", "flat_code", "segment_items", "wbs_code",
    "wbs_code_id", "project_id", "company_id", "original_budget_amount", "holder", "contract_id",
    "commitment_id", "login", "locked", "tools", "user_access_level", "available_for_user",
    "permitted_actions", "action_name", "payload", "role",
}  # fmt: skip
OPEN_SETS = {"status", "mapped_to_status", "scope", "priority", "direct_cost_type", "base_type"}
PERMISSIONS = "GET /rest/v1.0/settings/permissions"


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


@on_answer
def records_bare(document: Any, spot: Spot) -> Any:
    """A single record of version 2 comes without its envelope."""
    wrapped = isinstance(document, dict) and isinstance(document.get("data"), dict)
    return document["data"] if wrapped else AS_IT_IS


@on_value(SELDOM)
def nulls(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A value is null: it is lost."""
    return AS_IT_IS if spot.key in ALWAYS_THERE else None


@on_value(SELDOM)
def unknown_statuses(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A status, or a value of another open set, is undocumented: the known one is lost."""
    known = isinstance(value, str) and value and spot.key in OPEN_SETS
    return "In Arbitration" if known else AS_IT_IS


@on_value(OFTEN)
def one_for_many(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A list of one record comes as that record."""
    single = isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)
    return value[0] if single else AS_IT_IS


@on_value(OFTEN)
def many_for_one(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A record within a record comes as a list of one, or as an empty list."""
    if not isinstance(value, dict) or spot.field.rpartition(".")[2].isdigit():
        return AS_IT_IS
    return [value] if value else []


@on_value(OFTEN)
def dates_as_moments(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A date comes as the first moment of its day."""
    is_date = isinstance(value, str) and DATE.fullmatch(value)
    return f"{value}T00:00:00Z" if is_date else AS_IT_IS


@on_value(OFTEN)
def moments_as_dates(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A date-time comes as its day: the time is lost. Stamps of change keep theirs."""
    found = MOMENT.match(value) if isinstance(value, str) else None
    return found[1] if found and spot.key not in STAMPS else AS_IT_IS


@on_value(OFTEN)
def amounts_with_separators(value: Any, spot: Spot, draw: random.Random) -> Any:
    """An amount written as text has thousands separators."""
    if isinstance(value, str) and AMOUNT.fullmatch(value):
        whole, point, cents = value.partition(".")
        return f"{int(whole):,}{point}{cents}" if abs(int(whole)) >= 1000 else AS_IT_IS
    return AS_IT_IS


@on_value(OFTEN)
def numbers_as_text(value: Any, spot: Spot, draw: random.Random) -> Any:
    """A number comes as text, ids too."""
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if number else AS_IT_IS


@on_value(OFTEN)
def text_as_numbers(value: Any, spot: Spot, draw: random.Random) -> Any:
    """An amount or a whole number written as text comes as a number."""
    if isinstance(value, str) and WHOLE.fullmatch(value):
        return int(value)
    return Decimal(value) if isinstance(value, str) and AMOUNT.fullmatch(value) else AS_IT_IS


@on_record(OFTEN)
def missing_keys(record: dict[str, Any], spot: Spot, draw: random.Random) -> None:
    """An optional key is missing: its value is lost."""
    names = sorted(record.keys() - ALWAYS_THERE)
    if names:
        del record[draw.choice(names)]


@on_record(OFTEN)
def extra_keys(record: dict[str, Any], spot: Spot, draw: random.Random) -> None:
    """A record has undocumented keys, with values of any kind."""
    values: list[Any] = [None, 0, "", [], {}, [[{}]], {"id": None, "name": ["x"]}, 1e300, "﷽" * 40]
    record[f"x_{draw.randrange(1000)}"] = draw.choice(values)


@on_value(OFTEN)
def names_in_other_spelling(value: Any, spot: Spot, draw: random.Random) -> Any:
    """Names of tools, levels and actions among a person's permissions are spelled differently."""
    if spot.operation != PERMISSIONS or spot.key not in {"name", "action_name", "tool_name"}:
        return AS_IT_IS
    words = str(value).replace("-", "_").replace(" ", "_").split("_")
    titled = [word.title() for word in words]
    spellings = [" ".join(titled), "-".join(titled), " ".join(words), "_".join(words).upper()]
    return draw.choice(spellings)


@on_record(SELDOM)
def unknown_levels(record: dict[str, Any], spot: Spot, draw: random.Random) -> None:
    """A person's level of access to a tool is undocumented: what they may do is lost."""
    if spot.operation == PERMISSIONS:
        record["user_access_level"] = {"id": 77, "name": "project_controls"}


@on_record(OFTEN)
def budget_rows_without_wbs_code(record: dict[str, Any], spot: Spot, draw: random.Random) -> None:
    """A budget row is of the older kind: it names cost code and cost type, and no WBS code."""
    if spot.tool == "detail_rows":
        record.pop("wbs_code_id", None)


@on_record(1)
def budget_columns_in_other_spelling(
    record: dict[str, Any], spot: Spot, draw: random.Random
) -> None:
    """Standard columns of budget rows come in other case, singular, or with other punctuation."""
    if spot.tool == "detail_rows":
        for name in [name for name in record if " " in name]:
            other = {"Committed Costs": "Committed cost", "Direct Costs": "DIRECT COSTS"}
            record[other.get(name, name.replace(" ", "_").lower())] = record.pop(name)
