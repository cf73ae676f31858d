"""Cases open, change and close with their cause; people snooze them and leave notes."""

from datetime import date
from decimal import Decimal
from functools import lru_cache

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.core.bulk import update_rows
from partner_app.embedded.entitlement import Rights, Tool
from partner_app.embedded.session import Viewer
from partner_app.insights.errors import CaseUnknown
from partner_app.insights.facts import ProjectFacts
from partner_app.insights.models import CaseSettings, ExceptionCase, Rule
from partner_app.insights.rules import TIERS, TOOLS, Finding, findings

GROWN = Decimal("1.1")  # of the snoozed amount: more wakes a snoozed case
STANDS = ("amount", "before", "currency", "facts", "owner", "since", "changed_at")


def settings_of(company_id: int) -> CaseSettings:
    """Inside tenant(). The defaults where the company has set nothing."""
    found = CaseSettings.objects.filter(company_id=company_id).first()
    return found or CaseSettings(company_id=company_id)


def follow(facts: ProjectFacts, limits: CaseSettings) -> None:
    """Inside tenant(): open what is new, change what differs, close what is over."""
    now = clock.now()
    here = {"company_id": facts.company_id, "project_id": facts.project_id}
    known = {
        (case.rule, case.subject): case
        for case in ExceptionCase.objects.filter(**here, closed_at=None)
    }
    new, changed = [], []
    for finding in findings(facts, limits):
        case = known.pop((finding.rule, finding.subject), None)
        if case is None:
            new.append(
                ExceptionCase(
                    **here, rule=finding.rule, tier=TIERS[finding.rule], subject=finding.subject,
                    amount=finding.amount, currency=finding.currency, facts=finding.facts,
                    owner=finding.owner,
                    since=finding.since, opened_at=now, changed_at=now,
                )
            )  # fmt: skip
        elif _differs(case, finding):
            if case.amount != finding.amount:
                case.before, case.changed_at = case.amount, now
            case.amount, case.currency = finding.amount, finding.currency
            case.facts, case.owner = finding.facts, finding.owner
            # What is new every day, because it has no day of its own, keeps its first one.
            case.since = min(case.since, finding.since)
            changed.append(case)
    ExceptionCase.objects.bulk_create(new)
    update_rows(ExceptionCase, changed, STANDS)
    over = [case.id for case in known.values()]
    ExceptionCase.objects.filter(id__in=over).update(closed_at=now)


def snooze(viewer: Viewer, case: ExceptionCase, *, until: date, reason: str) -> None:
    """Inside tenant(). Until that day, or until it has grown by a tenth."""
    case.snoozed_until, case.snoozed_by = until, viewer.actor
    case.snoozed_amount, case.snooze_reason = case.amount, reason
    case.save(update_fields=["snoozed_until", "snoozed_by", "snoozed_amount", "snooze_reason"])
    record(
        Event.CASE_SNOOZED, actor=viewer.actor, company_id=case.company_id,
        case=case.id, rule=case.rule, until=until.isoformat(),
    )  # fmt: skip


def wake(viewer: Viewer, case: ExceptionCase) -> None:
    """Inside tenant()."""
    case.snoozed_until, case.snoozed_by, case.snooze_reason = None, "", ""
    case.save(update_fields=["snoozed_until", "snoozed_by", "snooze_reason"])
    record(Event.CASE_WOKEN, actor=viewer.actor, company_id=case.company_id, case=case.id)


def leave_note(viewer: Viewer, case: ExceptionCase, *, text: str) -> None:
    """Inside tenant(). One note a case: what is being done, for whoever looks next."""
    case.note, case.noted_by, case.noted_at = text, viewer.actor if text else "", clock.now()
    case.save(update_fields=["note", "noted_by", "noted_at"])
    record(Event.CASE_NOTED, actor=viewer.actor, company_id=case.company_id, case=case.id)


def case_or_error(company_id: int, case_id: int) -> ExceptionCase:
    """Inside tenant(). Raises CaseUnknown, also where it has closed meanwhile."""
    found = ExceptionCase.objects.filter(company_id=company_id, id=case_id, closed_at=None).first()
    if found is None:
        raise CaseUnknown
    return found


def require_rule(rights: Rights, rule: Rule) -> None:
    """Raises NotEntitled, naming a tool that the viewer lacks."""
    for tool in sorted(TOOLS[rule]):
        rights.require(tool)


def open_rules(rights: Rights) -> tuple[Rule, ...]:
    """Rules that the viewer may hear of on this project."""
    return _open_to(rights.tools)


@lru_cache
def _open_to(tools: frozenset[Tool]) -> tuple[Rule, ...]:
    """Most projects of a viewer have the same ones."""
    return tuple(rule for rule, wanted in TOOLS.items() if wanted <= tools)


def _differs(case: ExceptionCase, finding: Finding) -> bool:
    return (case.amount, case.currency, case.facts, case.owner) != (
        finding.amount, finding.currency, finding.facts, finding.owner,
    )  # fmt: skip
