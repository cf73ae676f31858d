"""Questions from people to the partner's support."""

from typing import ClassVar

from django.db import models

from partner_app.tenancy.models import Company


class SupportRequest(models.Model):
    """A question. `address` receives the answer: the person's mail address in Procore.

    It is empty where Procore did not give one. `diagnostics` is empty where the person did not
    consent to it.
    """

    operational: ClassVar[str] = "what a person wrote to the partner's support, for it to read"
    keep_for: ClassVar[int] = 365
    kept_since: ClassVar[str] = "asked_at"

    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    remote_user_id = models.BigIntegerField()
    address = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    text = models.TextField()
    page = models.TextField(blank=True)
    diagnostics = models.JSONField(default=dict)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [
            # the dashboard's list: open ones first, the newest of each first.
            models.Index(
                models.F("answered_at").desc(nulls_first=True),
                models.F("asked_at").desc(),
                models.F("id").desc(),
                name="support_newest",
            )
        ]
