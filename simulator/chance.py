"""Seeded random values for construction: moments in the past, amounts, people, vendors."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

Choice = TypeVar("Choice")

SETTLED = timedelta(minutes=10)  # no seeded record changed more recently than this


class Chance:
    """The same seed gives the same values; moments are relative to `now`."""

    def __init__(self, rng: random.Random, now: datetime) -> None:
        self.rng, self.now = rng, now

    def moment(self, newest: float, oldest: float) -> datetime:
        """A moment between `newest` and `oldest` days ago."""
        return self.now - timedelta(seconds=self.rng.uniform(newest * 86400, oldest * 86400))

    def after(self, begin: datetime) -> datetime:
        """A moment between the given one and a little before now."""
        span = (self.now - SETTLED - begin).total_seconds()
        return begin + timedelta(seconds=self.rng.uniform(0, max(0.0, span)))

    def money(self, low: int, high: int) -> Decimal:
        return Decimal(self.rng.randint(low * 100, high * 100)) / 100

    def sometimes(self, share: float, low: int, high: int) -> Decimal:
        """An amount in this share of cases, else zero."""
        return self.money(low, high) if self.rng.random() < share else Decimal("0.00")

    def one_of(self, rows: Sequence[Choice]) -> Choice:
        return rows[self.rng.randrange(len(rows))]
