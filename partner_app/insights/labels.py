"""Labels of metrics and cases in the reader's language; each metric with its formula."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrations.procore.resources.tools import Tool
from partner_app.core.templatetags.show import money
from partner_app.insights.models import ExceptionCase, Rule
from partner_app.insights.rules import COST_TOOLS


@dataclass(frozen=True)
class Metric:
    """`name` is the column of ProjectDay; `unit` money, count, days or percent."""

    name: str
    label: object
    unit: str
    tools: frozenset[Tool]
    help: object


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "budget", gettext_lazy("Revised budget"), "money", frozenset({Tool.BUDGET}),
            gettext_lazy("Original budget plus approved changes."),
        ),
        Metric(
            "committed", gettext_lazy("Committed"), "money", frozenset({Tool.COMMITMENTS}),
            gettext_lazy(
                "Lines of approved contracts plus approved change orders of all tiers. A contract "
                "without lines counts with its total. A change order is spread over its contract’s "
                "codes in proportion to the contract’s lines."
            ),
        ),
        Metric(
            "direct_costs", gettext_lazy("Direct costs"), "money", frozenset({Tool.DIRECT_COSTS}),
            gettext_lazy("Lines of approved direct costs."),
        ),
        Metric(
            "over_commitment", gettext_lazy("Over budget, by code"), "money", COST_TOOLS,
            gettext_lazy(
                "Committed plus direct costs minus revised budget, for codes where that is above "
                "zero."
            ),
        ),
        Metric(
            "buyout_gap", gettext_lazy("Not bought out"), "money", COST_TOOLS,
            gettext_lazy(
                "Revised budget minus committed minus direct costs, for codes that have started: "
                "something is committed under them, or the project has started."
            ),
        ),
        Metric(
            "exposure", gettext_lazy("Pending exposure"), "money",
            frozenset({Tool.COMMITMENTS, Tool.CHANGE_EVENTS}),
            gettext_lazy(
                "Pending change orders plus the latest cost of open change events, less what is in "
                "a contract, a change order or a budget change, and less pending budget changes "
                "for the same codes. The links of an event’s lines show what is ordered, not its "
                "status: an event stays open after its order."
            ),
        ),
        Metric(
            "projected", gettext_lazy("Projected over or under"), "money",
            COST_TOOLS | {Tool.CHANGE_EVENTS},
            gettext_lazy(
                "Revised budget minus committed, direct costs and pending exposure. Below zero, "
                "the project runs over."
            ),
        ),
        Metric(
            "coverage", gettext_lazy("Forecast coverage"), "percent", COST_TOOLS,
            gettext_lazy(
                "Share of the revised budget under codes with commitments or direct costs."
            ),
        ),
        Metric(
            "invoiced_over", gettext_lazy("Invoiced beyond contract"), "money",
            frozenset({Tool.COMMITMENTS}),
            gettext_lazy(
                "Approved invoices minus the contract with its approved changes, where above zero."
            ),
        ),
        Metric(
            "handoff_drift", gettext_lazy("Drift since the handoff"), "money",
            frozenset({Tool.BUDGET}),
            gettext_lazy(
                "Difference between what was handed off and the live original budget, added up "
                "over all codes handed off, either way."
            ),
        ),
        Metric(
            "rfi_cost", gettext_lazy("RFI cost at stake"), "money",
            frozenset({Tool.RFIS, Tool.BUDGET}),
            gettext_lazy("Cost impact of open RFIs that have a value."),
        ),
        Metric(
            "rfis_cost_unknown", gettext_lazy("RFIs with unknown cost"), "count",
            frozenset({Tool.RFIS}),
            gettext_lazy("Open RFIs with a cost impact but no value."),
        ),
        Metric(
            "open_rfis", gettext_lazy("Open RFIs"), "count", frozenset({Tool.RFIS}),
            gettext_lazy("RFIs with the status Open."),
        ),
        Metric(
            "overdue_rfis", gettext_lazy("Overdue RFIs"), "count", frozenset({Tool.RFIS}),
            gettext_lazy("Open RFIs past their due date, in the project’s time zone."),
        ),
        Metric(
            "rfi_age", gettext_lazy("Age of open RFIs"), "days", frozenset({Tool.RFIS}),
            gettext_lazy("Median of the business days since they were initiated."),
        ),
        Metric(
            "rfi_turnaround", gettext_lazy("RFI turnaround"), "days", frozenset({Tool.RFIS}),
            gettext_lazy(
                "Median of the business days from initiated to resolved, of the last 12 months."
            ),
        ),
        Metric(
            "open_submittals", gettext_lazy("Open submittals"), "count",
            frozenset({Tool.SUBMITTALS}), gettext_lazy("Submittals with the status Open."),
        ),
        Metric(
            "late_submittals", gettext_lazy("Late submittals"), "count",
            frozenset({Tool.SUBMITTALS}),
            gettext_lazy(
                "Open submittals past their due date, and drafts past the day to submit them by."
            ),
        ),
        Metric(
            "submittal_age", gettext_lazy("Age of open submittals"), "days",
            frozenset({Tool.SUBMITTALS}),
            gettext_lazy("Median of the business days since they were created."),
        ),
        Metric(
            "open_events", gettext_lazy("Open change events"), "count",
            frozenset({Tool.CHANGE_EVENTS}),
            gettext_lazy("Change events that are neither closed nor void."),
        ),
    )
}  # fmt: skip


def sentence(case: ExceptionCase) -> str:
    """The situation in one sentence; the amount is shown beside it."""
    return SENTENCES[Rule(case.rule)](case)


def cause(case: ExceptionCase) -> str:
    """The reason in one more sentence, with the figures behind it; may be empty."""
    make = CAUSES.get(Rule(case.rule))
    return make(case) if make else ""


def _name(case: ExceptionCase) -> str:
    """03-300.S Cast-in-place concrete: the code includes the cost type."""
    code, name = case.facts["code"], case.facts["name"]
    item, _dot, _kind = name.rpartition(".")
    return f"{code} {item}".strip() or _("Cost without a code")


def _record(case: ExceptionCase) -> dict[str, str]:
    return {"number": case.facts["number"], "title": case.facts["title"]}


def _amount(case: ExceptionCase, name: str) -> str:
    return money(Decimal(case.facts[name]), case.currency)


def _submittal(case: ExceptionCase) -> str:
    if case.facts["status"] == "Draft":
        return _("Submittal %(number)s not submitted in time: %(title)s") % _record(case)
    return _("Submittal %(number)s overdue: %(title)s") % _record(case)


def _rfi(case: ExceptionCase) -> str:
    if case.amount is None:
        return _("RFI %(number)s overdue, cost not known yet: %(title)s") % _record(case)
    return _("RFI %(number)s overdue: %(title)s") % _record(case)


def _drift(case: ExceptionCase) -> str:
    codes = int(case.facts["codes"])
    return ngettext(
        "Budget of %(codes)s code changed in Procore since the handoff",
        "Budget of %(codes)s codes changed in Procore since the handoff",
        codes,
    ) % {"codes": codes}


SENTENCES: dict[Rule, Callable[[ExceptionCase], str]] = {
    Rule.OVER_COMMITMENT: lambda case: (
        _("%(name)s is committed over budget") % {"name": _name(case)}
    ),
    Rule.BUYOUT_GAP: lambda case: _("%(name)s is not bought out") % {"name": _name(case)},
    Rule.PENDING_EXPOSURE: lambda _case: _("Pending changes without budget"),
    Rule.HANDOFF_DRIFT: _drift,
    Rule.RFI_OVERDUE: _rfi,
    Rule.SUBMITTAL_LATE: _submittal,
    Rule.EVENT_WITHOUT_ORDER: lambda case: (
        _("Change event %(number)s without a change order: %(title)s") % _record(case)
    ),
    Rule.INVOICE_OVER_CONTRACT: lambda case: (
        _("Contract %(number)s invoiced beyond its sum: %(title)s") % _record(case)
    ),
}


def _cost_cause(case: ExceptionCase) -> str:
    return _("%(committed)s committed and %(direct)s direct costs against %(budget)s budget.") % {
        name: _amount(case, name) for name in ("committed", "direct", "budget")
    }


def _exposure_cause(case: ExceptionCase) -> str:
    said = _(
        "%(pending)s in pending change orders and %(events)s in open change events; the budget has "
        "%(spare)s to spare."
    ) % {name: _amount(case, name) for name in ("pending", "events", "spare")}
    # Cases from the former release have none of these.
    relief, maybe, missing = (
        Decimal(case.facts.get(name, "0")) for name in ("relief", "maybe_ordered", "not_covered")
    )
    notes = [
        *relief_note(relief, case.currency),
        *maybe_ordered_note(maybe, case.currency),
        *not_covered_note(missing, case.currency),
    ]
    return " ".join([said, *notes])


def relief_note(amount: Decimal, currency: str) -> list[str]:
    if not amount:
        return []
    return [
        _("Pending budget changes offset %(amount)s of it.") % {"amount": money(amount, currency)}
    ]


def maybe_ordered_note(amount: Decimal, currency: str) -> list[str]:
    if not amount:
        return []
    return [
        _(
            "%(amount)s of the pending exposure may already be ordered: its change events are not "
            "linked to a change order. Link them in Procore so that they count only once."
        )
        % {"amount": money(amount, currency)}
    ]


def not_covered_note(amount: Decimal, currency: str, *, withheld: bool = False) -> list[str]:
    if amount:
        return [
            _(
                "Not covered: %(amount)s of change orders that contracts report but that are in no "
                "list the app may read. Projects with three tiers of change orders need the "
                "permission to read potential change orders and packages."
            )
            % {"amount": money(amount, currency)}
        ]
    if withheld:
        return [
            _(
                "Not covered: Procore does not let the app read all lists of change orders, so "
                "some may be missing here."
            )
        ]
    return []


def left_out_note() -> str:
    return _("Sums leave out private records and drafts, also those that name you.")


def _invoice_cause(case: ExceptionCase) -> str:
    return _("%(invoiced)s approved against a contract of %(contract)s.") % {
        name: _amount(case, name) for name in ("invoiced", "contract")
    }


CAUSES: dict[Rule, Callable[[ExceptionCase], str]] = {
    Rule.OVER_COMMITMENT: _cost_cause,
    Rule.BUYOUT_GAP: _cost_cause,
    Rule.PENDING_EXPOSURE: _exposure_cause,
    Rule.INVOICE_OVER_CONTRACT: _invoice_cause,
}


def age(case: ExceptionCase, today: date) -> str:
    days = max(0, (today - case.since).days)
    if days == 0:
        return _("since today")
    return ngettext("for %(days)s day", "for %(days)s days", days) % {"days": days}
