"""The data of insights: metrics by code and day, cases, and what people set and save."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from partner_app.tenancy.models import Company, TenantModel

NOT_NEGATIVE = MinValueValidator(0)


def money() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=20, decimal_places=4, default=0)


def _added() -> "models.DecimalField[Any, Any]":
    """A column newer than its table: the former release writes rows without it."""
    return models.DecimalField(max_digits=20, decimal_places=4, default=0, db_default=0)


def _people() -> "ArrayField[Any, Any]":
    """Procore ids of the people who may see what is not open to all."""
    return ArrayField(models.BigIntegerField(), default=list, db_default=[])


def _limit(label: Any, default: int) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(
        label, max_digits=14, decimal_places=2, default=default, validators=[NOT_NEGATIVE]
    )


def _days(label: Any, default: int) -> "models.SmallIntegerField[Any, Any]":
    return models.SmallIntegerField(label, default=default, validators=[NOT_NEGATIVE])


class CostFigure(TenantModel):
    """The costs of one WBS code of a project (0: cost without a code), in one currency.

    Columns beginning with `private_` hold the part from private records and drafts.
    """

    pk = models.CompositePrimaryKey("company_id", "project_id", "wbs_code_id", "currency")
    project_id = models.BigIntegerField()
    wbs_code_id = models.BigIntegerField()
    currency = models.TextField()
    flat_code = models.TextField()
    name = models.TextField()
    division = models.TextField()
    original = money()
    changes = money()
    committed = money()
    pending = money()
    direct = money()
    private_committed = _added()
    private_pending = _added()


class ContractFigure(TenantModel):
    """The amounts of one contract: the same wherever a list or a panel shows it.

    Columns beginning with `private_` hold the part from private changes and invoices, or drafts.
    """

    pk = models.CompositePrimaryKey("company_id", "contract_id")
    project_id = models.BigIntegerField()
    contract_id = models.BigIntegerField()
    currency = models.TextField()
    standing = models.TextField()  # statuses.Standing
    original = money()  # before changes
    approved = money()  # change orders
    pending = money()  # change orders
    invoiced = money()
    private_approved = _added()
    private_pending = _added()
    private_invoiced = _added()

    class Meta:
        indexes: ClassVar = [
            # the contracts of one project, replaced when it changed.
            models.Index(fields=["company", "project_id"], name="contract_figure_project")
        ]


class ChangeFigure(TenantModel):
    """The amount of a change event or a change order. `amount` of an event is its pending part.

    `maybe_ordered`: it is unknown whether an order already holds it. `restricted`: it or its
    contract is private or a draft, visible only to the people `named`.
    """

    pk = models.CompositePrimaryKey("company_id", "resource", "remote_id")
    project_id = models.BigIntegerField()
    resource = models.TextField()
    remote_id = models.BigIntegerField()
    contract_id = models.BigIntegerField(null=True)
    status = models.TextField()
    standing = models.TextField()  # statuses.Standing
    amount = money()
    maybe_ordered = money()
    currency = models.TextField()
    created_on = models.DateTimeField(null=True)
    restricted = models.BooleanField(default=False, db_default=False)
    named = _people()

    class Meta:
        indexes: ClassVar = [
            # the changes of one project, replaced when it changed.
            models.Index(fields=["company", "project_id"], name="change_figure_project")
        ]


class DayFigures(TenantModel):
    """A project's metrics on one day of its own calendar; today's row is current.

    Counts and days are in the row of the project's main currency. Null: nothing to measure.
    """

    pk = models.CompositePrimaryKey("company_id", "project_id", "day", "currency")
    project_id = models.BigIntegerField()
    day = models.DateField()
    currency = models.TextField()
    main = models.BooleanField(default=True)
    newest = models.BooleanField(default=True)
    original_budget = money()
    budget_changes = money()
    committed = money()
    direct_costs = money()
    pending_changes = money()
    open_event_cost = money()  # of open events, the part in no contract, order or budget change
    event_cost = money()  # of all open events
    maybe_ordered = _added()  # of open_event_cost: unknown whether an order holds it
    not_covered = _added()  # change orders that contracts report and no list shows
    budget_relief = _added()  # pending changes of the budget for codes with exposure
    unknown_cost = _added()  # of records whose status is unknown
    orders_unread = models.BooleanField(default=False, db_default=False)
    over_commitment = money()
    buyout_gap = money()
    covered_budget = money()
    invoiced = money()
    invoiced_over = money()
    rfi_cost = money()
    handoff_drift = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    open_rfis = models.IntegerField(default=0)
    overdue_rfis = models.IntegerField(default=0)
    rfis_cost_unknown = models.IntegerField(default=0)
    open_submittals = models.IntegerField(default=0)
    late_submittals = models.IntegerField(default=0)
    open_events = models.IntegerField(default=0)
    events_without_order = models.IntegerField(default=0)
    rfi_age = models.DecimalField(max_digits=6, decimal_places=1, null=True)
    rfi_turnaround = models.DecimalField(max_digits=6, decimal_places=1, null=True)
    submittal_age = models.DecimalField(max_digits=6, decimal_places=1, null=True)

    class Meta:
        abstract = True


class ProjectDay(DayFigures):
    """From all records."""

    exported: ClassVar[str] = "project_days"

    class Meta:
        indexes: ClassVar = [
            # the newest day of each project of a portfolio.
            models.Index(
                fields=["company", "project_id"],
                condition=models.Q(newest=True),
                name="project_day_newest",
            )
        ]


class PublicDay(DayFigures):
    """From records that are neither private nor drafts: for viewers who may not see those.

    `borrowed`: sums that are columns of Procore's budget view, whose records are not read yet.
    """

    borrowed = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            # the newest day of each project of a portfolio.
            models.Index(
                fields=["company", "project_id"],
                condition=models.Q(newest=True),
                name="public_day_newest",
            )
        ]


class Audience(models.TextChoices):
    """The viewers of a case: those who see every record of its tools, or those who do not.

    Where private records make a difference there are two cases of one subject.
    """

    EVERYONE = "everyone"
    ADMINS = "admins"
    OTHERS = "others"


class Rule(models.TextChoices):
    """The kinds of exceptions."""

    OVER_COMMITMENT = "over_commitment", _("Committed over budget")
    INVOICE_OVER_CONTRACT = "invoice_over_contract", _("Invoiced beyond the contract")
    PENDING_EXPOSURE = "pending_exposure", _("Pending changes without budget")
    HANDOFF_DRIFT = "handoff_drift", _("Budget changed since the handoff")
    EVENT_WITHOUT_ORDER = "event_without_order", _("Change event without a change order")
    RFI_OVERDUE = "rfi_overdue", _("Overdue RFI with cost")
    SUBMITTAL_LATE = "submittal_late", _("Late submittal")
    BUYOUT_GAP = "buyout_gap", _("Budget not bought out")


class ExceptionCase(TenantModel):
    """A situation that costs or may cost money. It opens and closes automatically with its cause.

    An admin case about one private record is also visible to the people `named` on that. `subject`
    names the record it is about; `facts` holds the values of its sentence, so that it can be
    translated. `before` is the amount it had until `changed_at`.
    """

    exported: ClassVar[str] = "exceptions"

    id = models.BigAutoField(primary_key=True)
    project_id = models.BigIntegerField()
    rule = models.TextField(choices=Rule.choices)
    tier = models.SmallIntegerField()  # an overrun, something pending, or something to do
    subject = models.TextField()
    audience = models.TextField(
        choices=Audience.choices, default=Audience.EVERYONE, db_default=Audience.EVERYONE
    )
    named = _people()
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    before = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    currency = models.TextField()
    facts = models.JSONField(default=dict)
    owner = models.TextField(blank=True)
    since = models.DateField()
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    snoozed_until = models.DateField(null=True)
    snoozed_by = models.TextField(blank=True)
    snoozed_amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    snooze_reason = models.TextField(blank=True)
    note = models.TextField(blank=True)
    noted_by = models.TextField(blank=True)
    noted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "project_id", "rule", "subject"],
                condition=models.Q(closed_at=None) & ~models.Q(audience="admins"),
                name="one_open_case_for_all",
            ),
            models.UniqueConstraint(
                fields=["company", "project_id", "rule", "subject"],
                condition=models.Q(closed_at=None, audience="admins"),
                name="one_open_case_for_admins",
            ),
        ]
        indexes: ClassVar = [
            # open cases of a project.
            models.Index(
                fields=["company", "project_id"],
                condition=models.Q(closed_at=None),
                name="case_open_of_project",
            ),
            # open cases of a company, in the order of their list.
            models.Index(
                models.F("company"),
                models.F("tier"),
                models.F("amount").desc(nulls_last=True),
                condition=models.Q(closed_at=None),
                name="case_open_first",
            ),
        ]


class CaseSettings(TenantModel):
    """The amounts and days from which a company lists exceptions."""

    exported: ClassVar[str] = "exception_settings"

    company = models.OneToOneField(Company, models.CASCADE, related_name="+", primary_key=True)
    over_commitment = _limit(_("Committed over budget, from"), 1000)
    buyout_gap = _limit(_("Not bought out, from"), 25000)
    pending_exposure = _limit(_("Pending without budget, from"), 10000)
    handoff_drift = _limit(_("Drift since a handoff, from"), 0)
    invoice_over_contract = _limit(_("Invoiced beyond contract, from"), 0)
    rfi_days = _days(_("RFIs, days after the due date"), 0)
    submittal_days = _days(_("Submittals, days after their due date"), 0)
    event_days = _days(_("Change events, days without a change order"), 14)


class SavedView(TenantModel):
    """A list with its filters, under a name, for one viewer."""

    exported: ClassVar[str] = "saved_views"

    id = models.BigAutoField(primary_key=True)
    remote_user_id = models.BigIntegerField()
    name = models.TextField()
    path = models.TextField()  # below /embedded/, with its query

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "remote_user_id", "name"], name="one_view_a_name"
            )
        ]


class Digest(TenantModel):
    """Where a viewer receives exceptions by mail; only subscribers have one."""

    pk = models.CompositePrimaryKey("company_id", "remote_user_id")
    remote_user_id = models.BigIntegerField()
    address = models.TextField()  # the viewer's address in Procore
    weekly = models.BooleanField(default=False)
    language = models.TextField()
    sent_at = models.DateTimeField(null=True)


class LastVisit(TenantModel):
    """When a viewer looked at a project's exceptions (0: at all of them), and the time before."""

    pk = models.CompositePrimaryKey("company_id", "remote_user_id", "project_id")
    remote_user_id = models.BigIntegerField()
    project_id = models.BigIntegerField()
    visited_at = models.DateTimeField()
    before = models.DateTimeField(null=True)


class SearchWord(TenantModel):
    """A word of a record's number and title, as Postgres's parser finds it.

    Row-level security prevents the use of a full-text index: its operator may not run before the
    policy. So the words are in an ordinary index that begins with the company.
    """

    id = models.BigAutoField(primary_key=True)
    word = models.TextField(db_collation="C")  # a prefix is a range of bytes
    project_id = models.BigIntegerField()
    resource = models.TextField()
    remote_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "word", "project_id", "resource", "remote_id"],
                name="one_search_word",
            )
        ]
        indexes: ClassVar = [
            # words of a record that changed.
            models.Index(
                fields=["company", "project_id", "resource", "remote_id"], name="search_word_of"
            )
        ]


class DigestWork(models.Model):
    """When a viewer's next digest is due.

    Without row-level security, so that a periodic task finds it.
    """

    operational: ClassVar[str] = "ids and times of digests that are due; no customer content"

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)
    remote_user_id = models.BigIntegerField()
    due_at = models.DateTimeField(db_index=True)  # due digests, every five minutes

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "remote_user_id"], name="one_digest_a_viewer"
            )
        ]


class FigureWork(models.Model):
    """A project whose metrics must be computed again (0: the list of projects itself).

    Without row-level security, so that a periodic task finds rows whose message was lost.
    `attempts` counts those since the last success; `failed` names the parts that failed the last
    time.
    """

    operational: ClassVar[str] = "ids and times of figures that are due; no customer content"
    by_our_clock: ClassVar[tuple[str, ...]] = ("due_at",)

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)
    project_id = models.BigIntegerField()
    due_at = models.DateTimeField(db_index=True)  # claim(), every two seconds
    drawn_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)
    failed = models.TextField(default="", db_default="", blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "project_id"], name="one_figure_work")
        ]
