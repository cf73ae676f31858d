"""People's decisions about lines, kept when the file is read again and for its revision."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from partner_app.estimates.mapping.assign import CodeShare
from partner_app.estimates.mapping.file import HUNDRED
from partner_app.estimates.models import Estimate, LineMapping, MappingSource

BY_PEOPLE = (MappingSource.PERSON, MappingSource.SUGGESTION, MappingSource.FILE)


@dataclass(frozen=True)
class KeptShare:
    """One share of a group: its part of the line's amount, and the decision as it was recorded."""

    share: Decimal
    target: CodeShare


@dataclass(frozen=True)
class Decisions:
    by_group: Mapping[str, Sequence[KeptShare]] = field(default_factory=dict)

    def of(self, group: str, amount: Decimal, codes: Collection[str]) -> list[CodeShare]:
        """Empty where there was no decision, or the project no longer has one of its codes."""
        kept = self.by_group.get(group, ())
        if not kept or any(each.target.wbs_code not in codes for each in kept):
            return []
        whole = replace(kept[0].target, amount=amount)
        return whole.shared([(each.target.wbs_code, each.share * HUNDRED) for each in kept])


def decisions_of(estimate: Estimate) -> Decisions:
    """Inside tenant(). The first line of each group represents all."""
    rows = (
        LineMapping.objects.filter(line__estimate=estimate, evidence__in=BY_PEOPLE)
        .select_related("line")
        .order_by("line_id", "id")
    )
    first: dict[str, int] = {}
    found: dict[str, list[KeptShare]] = {}
    for row in rows:
        group = row.line.group
        if first.setdefault(group, row.line_id) != row.line_id:
            continue
        share = row.amount / row.line.amount if row.line.amount else Decimal(1)
        target = CodeShare(
            row.wbs_code, row.amount, row.reason, MappingSource(row.evidence), row.chosen_by
        )
        found.setdefault(group, []).append(KeptShare(share, target))
    return Decisions(found)
