"""Cases open, change and close with their cause; people snooze them and leave notes."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache

from django.db.models import Q

from integrations.procore.resources.tools import Tool
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.core.bulk import update_rows
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.session import Viewer
from partner_app.insights.errors import CaseUnknown
from partner_app.insights.facts import ProjectFacts
from partner_app.insights.models import Audience, CaseSettings, ExceptionCase, Rule
from partner_app.insights.rules import TIERS, TOOLS, Finding, findings

GROWN = Decimal("1.1")  # times the snoozed amount: more ends the snooze
STANDS = (
    "audience", "amount", "before", "currency", "facts", "owner", "since", "changed_at",
)  # fmt: skip
SNOOZED = ("snoozed_until", "snoozed_by", "snoozed_amount", "snooze_reason")
NOTED = ("note", "noted_by", "noted_at")
Wanted = dict[tuple[str, str, bool], tuple[Finding, Audience]]


def settings_of(company_id: int) -> CaseSettings:
    """Inside tenant(). The defaults where the company has set nothing."""
    found = CaseSettings.objects.filter(company_id=company_id).first()
    return found or CaseSettings(company_id=company_id)


def update_cases(facts: ProjectFacts, limits: CaseSettings) -> None:
    """Inside tenant(): opens new cases, updates changed ones, closes those that are over."""
    now = clock.now()
    here = {"company_id": facts.company_id, "project_id": facts.project_id}
    known = {
        (case.rule, case.subject, case.audience == Audience.ADMINS): case
        for case in ExceptionCase.objects.filter(**here, closed_at=None)
    }
    apart = {key[:2]: case for key, case in known.items() if key[2]}
    shared = {key[:2]: case for key, case in known.items() if case.audience == Audience.EVERYONE}
    # Those that ended for the others when they began for admins only.
    shared |= _split_before(here, apart.values())
    new, changed = [], []
    for key, (finding, audience) in _wanted(facts, limits).items():
        case = known.pop(key, None)
        if case is None:
            case = ExceptionCase(
                **here, rule=finding.rule, tier=TIERS[finding.rule], subject=finding.subject,
                audience=audience, named=list(finding.named), amount=finding.amount,
                currency=finding.currency, facts=finding.facts, owner=finding.owner,
                since=finding.since, opened_at=now, changed_at=now,
            )  # fmt: skip
            if before := shared.get(key[:2]):
                # Notes and snoozes of the single case apply to both, and to the single case when
                # they rejoin.
                for name in (*SNOOZED, *NOTED):
                    setattr(case, name, getattr(before, name))
            new.append(case)
        elif _differs(case, finding, audience):
            if case.named != list(finding.named):  # which is rare
                ExceptionCase.objects.filter(id=case.id).update(named=list(finding.named))
            if case.audience != audience:
                # The former release counted private records for everyone.
                case.audience, case.before = audience, None
            elif case.amount != finding.amount:
                case.before, case.changed_at = case.amount, now
            case.amount, case.currency = finding.amount, finding.currency
            case.facts, case.owner = finding.facts, finding.owner
            # A finding without a day of its own is new every day, so it keeps its first one.
            case.since = min(case.since, finding.since)
            changed.append(case)
    ExceptionCase.objects.bulk_create(new)
    update_rows(ExceptionCase, changed, STANDS)
    over = [case.id for case in known.values()]
    ExceptionCase.objects.filter(id__in=over).update(closed_at=now)


def _split_before(
    here: dict[str, int], apart: Iterable[ExceptionCase]
) -> dict[tuple[str, str], ExceptionCase]:
    """By rule and subject: everyone's case until the one for admins only began."""
    began = {(case.rule, case.subject): case.opened_at for case in apart}
    over = ExceptionCase.objects.filter(**here, closed_at__in=set(began.values()))
    return {
        (case.rule, case.subject): case
        for case in over.exclude(audience=Audience.ADMINS)
        if began.get((case.rule, case.subject)) == case.closed_at
    }


def _wanted(facts: ProjectFacts, limits: CaseSettings) -> Wanted:
    """By rule, subject, and whether it is for admins only.

    Where private records and drafts make no difference there is one for everyone.
    """
    whole = {(each.rule, each.subject): each for each in findings(facts, limits)}
    public = {(each.rule, each.subject): each for each in findings(facts.public, limits)}
    found: Wanted = {}
    for (rule, subject), finding in public.items():
        same = whole.get((rule, subject)) == finding
        audience = Audience.EVERYONE if same else Audience.OTHERS
        found[rule, subject, False] = finding, audience
    for (rule, subject), finding in whole.items():
        if public.get((rule, subject)) != finding:
            found[rule, subject, True] = finding, Audience.ADMINS
    return found


def snooze(viewer: Viewer, case: ExceptionCase, *, until: date, reason: str) -> None:
    """Inside tenant(). Until that day, or until the amount has grown by a tenth."""
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
    """Inside tenant(). One note per case: what is being done, for the next reader."""
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


def require_case(rights: Rights, case: ExceptionCase) -> None:
    """Raises NotEntitled; CaseUnknown where its records are hidden from the viewer."""
    rule, audience = Rule(case.rule), Audience(case.audience)
    require_rule(rights, rule)
    if audience == Audience.EVERYONE:
        return
    sees_all = rights.sees_all_of(TOOLS[rule])
    named = audience == Audience.ADMINS and rights.person in case.named
    if not named and sees_all is (audience == Audience.OTHERS):
        raise CaseUnknown


def open_rules(rights: Rights) -> tuple[Rule, ...]:
    """Rules whose cases the viewer may see on this project."""
    return tuple(rule for rule, wanted in TOOLS.items() if wanted <= rights.tools)


def open_cases(rights: Rights) -> Q:
    """Cases that the viewer may see on this project: of these rules, and for their audience."""
    return _open_to(rights.tools, rights.administers, rights.person)


@lru_cache
def _open_to(tools: frozenset[Tool], administers: frozenset[Tool], person: int) -> Q:
    """Equal for projects where they have the same tools, as on most projects of a viewer."""
    mine = [rule for rule, wanted in TOOLS.items() if wanted <= tools]
    whole = [rule for rule in mine if administers >= TOOLS[rule] - {Tool.BUDGET}]
    admins, others = Q(audience=Audience.ADMINS), Q(audience=Audience.OTHERS)
    part = ~admins | Q(admins, named__contains=[person])
    return Q(rule__in=whole) & ~others | Q(rule__in=[r for r in mine if r not in whole]) & part


def _differs(case: ExceptionCase, finding: Finding, audience: Audience) -> bool:
    stands = (case.amount, case.currency, case.facts, case.owner, case.audience, case.named)
    return stands != (
        finding.amount, finding.currency, finding.facts, finding.owner, audience,
        list(finding.named),
    )  # fmt: skip
