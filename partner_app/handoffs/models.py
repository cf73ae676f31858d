"""A handoff and its rows: what is to become of each WBS code, and what became of it."""

import uuid
from typing import ClassVar

from django.db import models

from partner_app.estimates.models import Estimate
from partner_app.tenancy.models import TenantModel


class HandoffState(models.TextChoices):
    PLANNED = "planned", "Planned"
    APPROVED = "approved", "Approved"
    PUSHING = "pushing", "Pushing"
    DONE = "done", "Done"
    PARTIAL = "partial", "Partly done"
    STALE = "stale", "Stale"
    UNDONE = "undone", "Undone"


class Action(models.TextChoices):
    CREATE = "create", "Create"
    UPDATE = "update", "Change"
    UNCHANGED = "unchanged", "Unchanged"
    BLOCKED = "blocked", "Blocked"


class RowState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent, answer unknown"
    CONFIRMED = "confirmed", "Confirmed"
    REFUSED = "refused", "Refused by Procore"
    UNDONE = "undone", "Undone"


class Handoff(TenantModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    estimate = models.ForeignKey(Estimate, models.PROTECT, related_name="handoffs")
    project_id = models.BigIntegerField()
    state = models.TextField(choices=HandoffState.choices, default=HandoffState.PLANNED)
    fingerprint = models.BinaryField()
    total = models.DecimalField(max_digits=20, decimal_places=2)
    unmapped = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # handed_off_totals(), the newest of each project.
            models.Index(fields=["company", "project_id", "-created_at"], name="handoff_newest")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "id"], name="handoff_company")
        ]


class HandoffRow(TenantModel):
    """Amounts before and after; `line_item_id` is Procore's, known after a create."""

    id = models.BigAutoField(primary_key=True)
    handoff = models.ForeignKey(Handoff, models.CASCADE, related_name="rows")
    wbs_code = models.TextField()
    wbs_code_id = models.BigIntegerField(null=True)
    action = models.TextField(choices=Action.choices)
    reason = models.TextField(blank=True)
    before = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    after = models.DecimalField(max_digits=20, decimal_places=2)
    line_item_id = models.BigIntegerField(null=True)
    state = models.TextField(choices=RowState.choices, default=RowState.WAITING)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["handoff", "wbs_code"], name="one_row_a_code")
        ]
