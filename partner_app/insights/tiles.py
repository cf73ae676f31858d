"""The headline figures above the charts, each with its explanation."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from partner_app.insights.health import Health
from partner_app.insights.labels import METRICS, Metric
from partner_app.insights.metrics import share

BAD_ABOVE_ZERO = {
    "over_commitment", "invoiced_over", "handoff_drift", "overdue_rfis", "late_submittals",
}  # fmt: skip


@dataclass(frozen=True)
class Tile:
    metric: Metric
    value: Any
    warn: bool


def tiles_of(found: Iterable[Health], currency: str) -> list[Tile]:
    """For one project, or sums over several in this currency; medians are not added up.

    A metric that the viewer may see on no project is left out.
    """
    rows = [own for health in found for own in (health, *health.others) if own.currency == currency]
    tiles = []
    for name, metric in METRICS.items():
        value = _value(metric, rows)
        if value is not None:
            bad = value < 0 if name == "projected" else name in BAD_ABOVE_ZERO and value > 0
            tiles.append(Tile(metric, value, bad))
    return tiles


def _value(metric: Metric, rows: list[Health]) -> Decimal | None:
    if metric.name == "coverage":
        seen = [row for row in rows if row.coverage is not None]
        covered = sum((row.covered_budget or Decimal(0) for row in seen), Decimal(0))
        return share(covered, sum((row.budget or Decimal(0) for row in seen), Decimal(0)))
    values = [getattr(row, metric.name) for row in rows]
    known = [value for value in values if value is not None]
    if not known:
        return None
    return sum(known, Decimal(0))
