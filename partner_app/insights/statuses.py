"""What a status of Procore's means for money, however it is spelled.

Procore's statuses are open sets: one that is not listed here counts as unknown, and pages say how
much money it keeps out of the figures.
"""

import re
from enum import StrEnum
from typing import Any

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Lower


class Standing(StrEnum):
    COUNTS = "counts"  # committed, approved
    PENDING = "pending"
    NOT = "not"  # a draft of a contract, a rejected order
    UNKNOWN = "unknown"


CONTRACTS: dict[str, Standing] = {
    **dict.fromkeys(
        ("approved", "complete", "processing", "submitted", "partially_received", "received",
         "closed"), Standing.COUNTS,
    ),
    **dict.fromkeys(
        ("draft", "out_for_bid", "out_for_signature", "terminated", "void"), Standing.NOT
    ),
}  # fmt: skip
ORDERS: dict[str, Standing] = {
    "approved": Standing.COUNTS,
    **dict.fromkeys(
        ("draft", "pricing", "not_pricing", "pending", "pending_billable", "revised", "proceeding",
         "not_proceeding"), Standing.PENDING,
    ),
    **dict.fromkeys(("rejected", "no_charge", "void"), Standing.NOT),
}  # fmt: skip
DIRECT_COSTS: dict[str, Standing] = {
    "approved": Standing.COUNTS,
    **dict.fromkeys(("draft", "pending", "revise_and_resubmit", "void"), Standing.NOT),
}
EVENTS_OVER = ("closed", "void")
ORDER_IS_OVER = tuple(name for name, standing in ORDERS.items() if standing is Standing.NOT)
_BETWEEN = "[^a-z0-9]+"


def plain(status: str) -> str:
    """`Partially Received`, `partially-received` and `PARTIALLY_RECEIVED` are one."""
    return re.sub(_BETWEEN, "_", status.strip().lower()).strip("_")


def standing(known: dict[str, Standing], status: str) -> Standing:
    return known.get(plain(status), Standing.UNKNOWN)


def named(known: dict[str, Standing], wanted: Standing) -> list[str]:
    return [name for name, found in known.items() if found is wanted]


def plain_status() -> Func:
    """The same in the database, for lists of records."""
    lower = Lower(F("status"))
    between, joined = Value(_BETWEEN), Value("_")
    words = Func(
        lower, between, joined, Value("g"), function="regexp_replace", output_field=TextField()
    )
    return Func(words, joined, function="btrim", output_field=TextField())


def with_status(rows: Any, names: list[str]) -> Any:
    return rows.alias(plain=plain_status()).filter(plain__in=names)
