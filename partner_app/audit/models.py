"""Append-only events. A company's id without a foreign key: its events outlive the company."""

from typing import ClassVar

from django.db import models


class AuditEvent(models.Model):
    """Who did what to what, when, from where. `facts` holds numbers and ids, never content.

    `address` is that of the request, empty for automatic actions and for commands.
    """

    operational: ClassVar[str] = "outlives the company; holds no customer content"

    at = models.DateTimeField()
    company_id = models.BigIntegerField(null=True)
    actor = models.TextField()
    event = models.TextField()
    address = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [
            # A company's timeline, newest first.
            models.Index(fields=["company_id", "-at"], name="audit_company_at"),
            # The dashboard's log of all companies.
            models.Index(fields=["-at"], name="audit_at"),
        ]
