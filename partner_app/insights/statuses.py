"""The meaning of Procore's statuses for money, however they are spelled.

Procore's statuses are open sets: one that is not listed here counts as unknown, and pages say how
much money is left out because of it.
"""

import re
from enum import StrEnum
from typing import Any

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Lower


class ApprovalState(StrEnum):
    COUNTS = "counts"  # committed, approved
    PENDING = "pending"
    NOT = "not"  # a draft of a contract, a rejected order
    UNKNOWN = "unknown"


CONTRACTS: dict[str, ApprovalState] = {
    **dict.fromkeys(
        ("approved", "complete", "processing", "submitted", "partially_received", "received",
         "closed"), ApprovalState.COUNTS,
    ),
    **dict.fromkeys(
        ("draft", "out_for_bid", "out_for_signature", "terminated", "void"), ApprovalState.NOT
    ),
}  # fmt: skip
ORDERS: dict[str, ApprovalState] = {
    "approved": ApprovalState.COUNTS,
    **dict.fromkeys(
        ("draft", "pricing", "not_pricing", "pending", "pending_billable", "revised", "proceeding",
         "not_proceeding"), ApprovalState.PENDING,
    ),
    **dict.fromkeys(("rejected", "no_charge", "void"), ApprovalState.NOT),
}  # fmt: skip
DIRECT_COSTS: dict[str, ApprovalState] = {
    "approved": ApprovalState.COUNTS,
    **dict.fromkeys(("draft", "pending", "revise_and_resubmit", "void"), ApprovalState.NOT),
}
EVENTS_OVER = ("closed", "void")
ORDER_IS_OVER = tuple(name for name, standing in ORDERS.items() if standing is ApprovalState.NOT)
_BETWEEN = "[^a-z0-9]+"


def plain(status: str) -> str:
    """Makes `Partially Received`, `partially-received` and `PARTIALLY_RECEIVED` equal."""
    return re.sub(_BETWEEN, "_", status.strip().lower()).strip("_")


def standing(known: dict[str, ApprovalState], status: str) -> ApprovalState:
    return known.get(plain(status), ApprovalState.UNKNOWN)


def named(known: dict[str, ApprovalState], wanted: ApprovalState) -> list[str]:
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
