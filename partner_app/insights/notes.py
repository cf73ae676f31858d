"""What is uncertain in the metrics, in sentences: perhaps counted twice, not covered, not known."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from partner_app.core.templatetags.show import money
from partner_app.insights.health import Health
from partner_app.insights.labels import left_out_note, maybe_ordered_note, not_covered_note
from partner_app.insights.metrics import ZERO


def notes_of(found: Iterable[Health], currency: str) -> list[str]:
    """For one project or several, in one currency; only what the viewer may see counts."""
    rows = [own for health in found for own in (health, *health.others) if own.currency == currency]
    notes = [
        *maybe_ordered_note(_sum(own.maybe_ordered for own in rows), currency),
        *not_covered_note(
            _sum(own.not_covered for own in rows), currency,
            withheld=any(own.orders_unread for own in rows),
        ),
    ]  # fmt: skip
    if unknown := _sum(own.unknown_cost for own in rows):
        notes.append(
            _(
                "%(amount)s is not counted: Tieback does not know the status of its contracts, "
                "change orders or direct costs. Check their status in Procore."
            )
            % {"amount": money(unknown, currency)}
        )
    return notes + left_out_notes(rows)


def left_out_notes(found: Iterable[Health]) -> list[str]:
    """Says where a sum leaves out what the viewer may not see."""
    every = [own for health in found for own in (health, *health.others)]
    return [left_out_note()] if any(own.left_out for own in every) else []


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), ZERO)
