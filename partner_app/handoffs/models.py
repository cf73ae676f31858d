"""A handoff and its rows: the action for each WBS code, and its result."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from partner_app.estimates.models import Estimate
from partner_app.tenancy.models import Company, TenantModel


class HandoffState(models.TextChoices):
    """states.MOVES lists the permitted transitions."""

    PLANNED = "planned", _("Planned")
    SUBMITTED = "submitted", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    PUSHING = "pushing", _("Being written to Procore")
    DONE = "done", _("Done")
    PARTIAL = "partial", _("Partly done")
    STALE = "stale", _("Out of date")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class Action(models.TextChoices):
    CREATE = "create", _("Create")
    UPDATE = "update", _("Change")
    UNCHANGED = "unchanged", _("Unchanged")
    LEFT = "left", _("Left as it is")
    BLOCKED = "blocked", _("Blocked")


class RowState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent, answer unknown")
    CONFIRMED = "confirmed", _("Confirmed")
    REFUSED = "refused", _("Refused by Procore")
    UNDONE = "undone", _("Undone")


class UndoRequest(models.TextChoices):
    """The outcome of the last request to undo a handoff; empty where there was none."""

    OPEN = "open", "Open"
    WITHDRAWN = "withdrawn", "Withdrawn"
    DECLINED = "declined", "Declined"
    ENDED = "ended", "Ended by a new plan or push"
    CARRIED_OUT = "carried_out", "Carried out"


class Handoff(TenantModel):
    """A plan never changes once it is made: a new one replaces it.

    `estimate_version` and `fingerprint` record what it was made from; `overrides` are WBS codes
    where the planner chose to overwrite people's changes in Procore. People are stored as actors.
    `undo_…` is the last undo request, where the company separates duties.
    """

    exported: ClassVar[str] = "handoffs"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    estimate = models.ForeignKey(Estimate, models.PROTECT, related_name="handoffs")
    project_id = models.BigIntegerField()
    state = models.TextField(choices=HandoffState.choices, default=HandoffState.PLANNED)
    fingerprint = models.BinaryField()
    estimate_version = models.IntegerField(default=1)
    total = models.DecimalField(max_digits=20, decimal_places=2)
    currency = models.TextField(default="USD")
    unmapped = models.IntegerField(default=0)
    obstacles = models.JSONField(default=list)  # what blocks the whole plan, in words
    left_alone = models.JSONField(default=list)  # budget lines that the estimate does not name
    overrides = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.TextField(default="operator")
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.TextField(blank=True)
    comment = models.TextField(blank=True)
    pushed_by = models.TextField(blank=True)
    undone_by = models.TextField(blank=True)
    undo_request = models.TextField(
        choices=UndoRequest.choices, blank=True, default="", db_default=""
    )
    undo_asked_at = models.DateTimeField(null=True)
    undo_asked_by = models.TextField(blank=True, default="", db_default="")
    undo_comment = models.TextField(blank=True, default="", db_default="")
    undo_zero = models.BooleanField(default=False, db_default=False)  # lines that cannot be deleted
    undo_answered_at = models.DateTimeField(null=True)
    undo_answered_by = models.TextField(blank=True, default="", db_default="")
    undo_answer = models.TextField(blank=True, default="", db_default="")
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    waiting_until = models.DateTimeField(null=True)  # Procore requested a pause
    problem = models.TextField(blank=True)  # why it stopped, in words
    problem_remedy = models.TextField(blank=True)
    not_undone = models.JSONField(default=list)  # what could not be undone, in words

    class Meta:
        indexes: ClassVar = [
            # handed_off_totals(), the newest of each project.
            models.Index(fields=["company", "project_id", "-created_at"], name="handoff_newest")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "id"], name="handoff_company"),
            # Two writers of one budget would each find the other's lines changed.
            models.UniqueConstraint(
                fields=["company", "project_id"],
                condition=models.Q(state__in=["pushing", "undoing"]),
                name="one_writer_a_project",
            ),
        ]


class HandoffRow(TenantModel):
    """Amounts before and after; `line_item_id` is Procore's, known after a create.

    `last` is what the previous handoff gave this code; `moved` the cent that rounding moved here.
    `image` holds the line as it was in Procore before we changed it.
    """

    exported: ClassVar[str] = "handoff_rows"

    id = models.BigAutoField(primary_key=True)
    handoff = models.ForeignKey(Handoff, models.CASCADE, related_name="rows")
    wbs_code = models.TextField()
    wbs_name = models.TextField(blank=True)
    wbs_code_id = models.BigIntegerField(null=True)
    action = models.TextField(choices=Action.choices)
    reason = models.TextField(blank=True)
    before = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    after = models.DecimalField(max_digits=20, decimal_places=2)
    last = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    moved = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    quantity = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    uom = models.TextField(blank=True)
    unit_cost = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    line_item_id = models.BigIntegerField(null=True)
    image = models.JSONField(null=True)
    state = models.TextField(choices=RowState.choices, default=RowState.WAITING)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["handoff", "wbs_code"], name="one_row_a_code")
        ]


class Task(models.TextChoices):
    PUSH = "push", "Push"
    UNDO = "undo", "Undo"


class HandoffWork(models.Model):
    """A push or an undo to be continued until it has ended: the record behind Celery's messages.

    Without row-level security, so that a periodic task finds work whose message was lost. `holder`
    stops a process that was believed dead from continuing; `remote_user_id` names whose rights are
    used.
    """

    operational: ClassVar[str] = "ids, lease and times of pushes under way; no customer content"
    by_our_clock: ClassVar[tuple[str, ...]] = ("due_at", "leased_until")

    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    handoff_id = models.UUIDField(unique=True)
    task = models.TextField(choices=Task.choices)
    remote_user_id = models.BigIntegerField()
    due_at = models.DateTimeField(db_index=True)  # claim_handoffs(), every two seconds
    leased_until = models.DateTimeField(null=True)
    holder = models.UUIDField(null=True)
    attempts = models.IntegerField(default=0)
    cancelled = models.BooleanField(default=False)
    zero_what_stays = models.BooleanField(default=False)  # of an undo: lines that cannot be deleted
