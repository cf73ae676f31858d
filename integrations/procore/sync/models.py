"""What is due, running and done. Operational: ids, counts and times, no customer content."""

from typing import ClassVar

from django.db import models

from partner_app.tenancy.models import Company

OPERATIONAL = "schedule and run counts; no customer content"


class RunState(models.TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    PARTIAL = "partial", "Done, with problems"
    FAILED = "failed", "Failed"


class SyncRun(models.Model):
    """One walk over a company's resources. `leased_until` is the company's lock while it runs."""

    operational: ClassVar[str] = OPERATIONAL

    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    mode = models.TextField()
    only = models.JSONField(default=list)
    state = models.TextField(choices=RunState.choices, default=RunState.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField()
    holder = models.TextField()
    requests = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company"], condition=models.Q(state="running"), name="one_running_sync"
            )
        ]


class SyncStep(models.Model):
    """One resource of one project (0: the company). Its counts are of the last attempt alone."""

    operational: ClassVar[str] = OPERATIONAL

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="steps")
    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    resource = models.TextField()
    project_id = models.BigIntegerField(default=0)
    done = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    fetched = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    deleted = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    requests = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "resource", "project_id"], name="one_step")
        ]


class SyncCursor(models.Model):
    """How far a resource of a project is read, by Procore's own clock."""

    operational: ClassVar[str] = OPERATIONAL

    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    resource = models.TextField()
    project_id = models.BigIntegerField(default=0)
    updated_to = models.DateTimeField(null=True)
    full_at = models.DateTimeField(null=True)
    fresh_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)  # not asked again before the next full sync

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "resource", "project_id"], name="one_cursor")
        ]


class DueWork(models.Model):
    """A sync that has to happen. One open row a company; claiming is a lease on the row."""

    operational: ClassVar[str] = OPERATIONAL

    company = models.OneToOneField(Company, models.CASCADE, related_name="+")
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    full_due_at = models.DateTimeField(null=True)
