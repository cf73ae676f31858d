"""Hooks as we registered them, and the inbox. Ids and times only; no customer content."""

import uuid
from typing import ClassVar

from django.db import models

from partner_app.tenancy.models import Company

KEEP = 90  # days


class HookState(models.TextChoices):
    MISSING = "missing", "Not registered yet"
    ACTIVE = "active", "Active"
    REFUSED = "refused", "Procore does not allow it"


class WebhookHook(models.Model):
    """One per company. Only a fingerprint of its secret is kept: the secret is never read again.

    `former_hash` is accepted beside the current one while Procore may still send the former secret.
    """

    operational: ClassVar[str] = "address and secret's fingerprint of a hook; no customer content"

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    company = models.OneToOneField(Company, models.CASCADE, related_name="+")
    remote_id = models.BigIntegerField(null=True)
    state = models.TextField(choices=HookState.choices, default=HookState.MISSING)
    secret_hash = models.BinaryField()
    former_hash = models.BinaryField(null=True)
    rotated_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)


class WebhookEvent(models.Model):
    """A webhook event from Procore, stored once for each ULID.

    `month` is that of the ULID's own time; the table is partitioned by it. It never differs for the
    same ULID, so each event is stored once.
    """

    operational: ClassVar[str] = "ids of what changed and when; no customer content"
    keep_for: ClassVar[int] = KEEP
    kept_since: ClassVar[str] = "received_at"
    monthly: ClassVar[int] = KEEP

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)
    ulid = models.TextField()
    project_id = models.BigIntegerField(null=True)
    resource_type = models.TextField()
    resource_id = models.BigIntegerField(null=True)
    reason = models.TextField()
    happened_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    month = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "ulid", "month"], name="one_event_of_a_ulid")
        ]
        indexes: ClassVar = [
            # deliveries of a company, newest first.
            models.Index(fields=["company", "-received_at"], name="webhook_newest"),
            # the dashboard's inbox of all tenants.
            models.Index(fields=["-received_at", "-id"], name="webhook_newest_of_all"),
        ]
        db_table = "procore_event_by_month"
