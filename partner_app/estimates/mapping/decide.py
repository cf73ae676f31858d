"""A person's decisions: one group at a time, split over several codes, or many at once."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from decimal import Decimal
from uuid import UUID

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core.i18n import gettext_noop
from partner_app.estimates.errors import CodeUnknown, SplitUneven
from partner_app.estimates.mapping.assign import BATCH, CodeShare, targets_for
from partner_app.estimates.mapping.file import HUNDRED
from partner_app.estimates.models import Estimate, EstimateLine, LineMapping, MappingSource
from partner_app.estimates.services import estimate_or_error, touch
from partner_app.tenancy.context import tenant

Shares = Sequence[tuple[str, Decimal]]  # WBS code and percent


def choose_codes(
    *, company_id: int, estimate_id: UUID, groups: Iterable[str], shares: Shares, actor: str
) -> int:
    """Maps all lines of the groups to one code, or splits each over several.

    Returns the number of lines. Raises CodeUnknown, SplitUneven, EstimateUnknown.
    """
    total = sum((percent for _, percent in shares), Decimal(0))
    if total != HUNDRED or any(percent <= 0 for _, percent in shares):
        raise SplitUneven(total=f"{total.normalize():f}")
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id, lock=True)
        codes = targets_for(company_id, estimate.project_id).codes
        for code, _ in shares:
            if code not in codes:
                raise CodeUnknown(wbs_code=code)
        lines = list(estimate.lines.filter(group__in=list(groups)))
        reason = (
            gettext_noop("chosen by a person")
            if len(shares) == 1
            else gettext_noop("split by a person")
        )
        _replace(
            estimate,
            [
                (line, target)
                for line in lines
                for target in CodeShare(
                    "", line.amount, reason, MappingSource.PERSON, actor
                ).shared(shares)
            ],
        )
        _record(estimate, actor, lines=len(lines))
    return len(lines)


def accept_suggestions(
    *,
    company_id: int,
    estimate_id: UUID,
    actor: str,
    at_least: Decimal,
    groups: Iterable[str] | None = None,
) -> int:
    """Applies first suggestions of enough confidence to all open lines, or to groups.

    Returns the number of lines.
    """
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id, lock=True)
        codes = targets_for(company_id, estimate.project_id).codes
        lines = estimate.lines.filter(mapped=False).exclude(suggestions=[])
        if groups is not None:
            lines = lines.filter(group__in=list(groups))
        accepted = []
        for line in lines:
            best = line.suggestions[0]
            if Decimal(best["confidence"]) >= at_least and best["code"] in codes:
                target = CodeShare(
                    best["code"], line.amount, best["reason"], MappingSource.SUGGESTION, actor
                )
                accepted.append((line, target))
        _replace(estimate, accepted)
        if accepted:
            _record(estimate, actor, lines=len(accepted), accepted=True)
    return len(accepted)


def open_again(*, company_id: int, estimate_id: UUID, group: str, actor: str) -> None:
    """Reverts a decision: the group's lines are unmapped again."""
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id, lock=True)
        lines = estimate.lines.filter(group=group)
        LineMapping.objects.filter(line__in=lines).delete()
        lines.update(mapped=False)
        touch(estimate)
        _record(estimate, actor, opened=1)


def _replace(estimate: Estimate, found: Sequence[tuple[EstimateLine, CodeShare]]) -> None:
    ids = {line.id for line, _ in found}
    LineMapping.objects.filter(line__in=ids).delete()
    estimate.lines.filter(id__in=ids).update(mapped=True)
    LineMapping.objects.bulk_create(
        [
            LineMapping(company_id=estimate.company_id, line=line, **asdict(target))
            for line, target in found
        ],
        batch_size=BATCH,
    )
    touch(estimate)


def _record(estimate: Estimate, actor: str, **facts: int | bool) -> None:
    record(
        Event.MAPPING_CHANGED,
        actor=actor,
        company_id=estimate.company_id,
        subject=str(estimate.id),
        **facts,
    )
