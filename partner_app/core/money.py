"""Exact amounts: currencies never mix, nothing is rounded implicitly, parts add up to the whole."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TypeVar

CENT = Decimal("0.01")

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Money:
    """An amount with its ISO 4217 currency. Adding another currency is a TypeError."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError("Money is a Decimal, never a float")

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise TypeError(f"{self.currency} and {other.currency} cannot be added")
        return Money(self.amount + other.amount, self.currency)


def to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def tie_out(amounts: Mapping[Key, Decimal]) -> dict[Key, Decimal]:
    """Rounds each part to the cent so that the parts add up to the rounded total.

    The cents that are left after rounding down go to the largest remainders; ties to the lowest
    key. Works for negative parts as well, because rounding is toward minus infinity.
    """
    floors = {key: amount.quantize(CENT, ROUND_FLOOR) for key, amount in amounts.items()}
    missing = to_cents(sum(amounts.values(), Decimal(0))) - sum(floors.values(), Decimal(0))
    by_remainder = sorted(amounts, key=lambda key: (floors[key] - amounts[key], str(key)))
    for key in by_remainder[: int(missing / CENT)]:
        floors[key] += CENT
    return floors
