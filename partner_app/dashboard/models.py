"""The dashboard's own data: a summary of each tenant, and who is alerted to incidents."""

from typing import ClassVar

from django.db import models

from integrations.procore.sync.models import Incident, RunState
from partner_app.tenancy.models import Company


class TenantSummary(models.Model):
    """How a tenant's newest sync ended.

    Written at its end, so that a list of ten thousand tenants is one indexed read.
    """

    operational: ClassVar[str] = "times and counts of syncs; no customer content"

    company = models.OneToOneField(
        Company, models.CASCADE, primary_key=True, related_name="summary"
    )
    run_state = models.TextField(choices=RunState.choices)
    run_at = models.DateTimeField()
    stalest_at = models.DateTimeField(null=True)  # when the oldest reading was
    problems = models.IntegerField(default=0)  # parts that could not be read

    class Meta:
        indexes: ClassVar = [
            # tenants, the stalest first.
            models.Index(fields=["stalest_at"], name="summary_stalest")
        ]


class ChannelKind(models.TextChoices):
    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook (Slack and alike)"


class AlertChannel(models.Model):
    """Where the partner's people receive alerts. The address of a webhook is a secret."""

    sealed: ClassVar[tuple[str, ...]] = ("address",)

    name = models.TextField()
    kind = models.TextField(choices=ChannelKind.choices)
    address = models.BinaryField()
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)
    time_zone = models.TextField(default="UTC")
    again_at = models.DateTimeField(null=True)  # after a failure
    failures = models.IntegerField(default=0)
    last_error = models.TextField(blank=True)
    told_at = models.DateTimeField(null=True)


class AlertNotice(models.Model):
    """Records that a channel reported an incident, and its end: each once."""

    channel = models.ForeignKey(AlertChannel, models.CASCADE, related_name="notices")
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="+")
    opened_told_at = models.DateTimeField()
    closed_told_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "incident"], name="told_once")
        ]
