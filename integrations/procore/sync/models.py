"""Pending, running and finished syncs. Operational: ids, counts and times, no customer content."""

from datetime import date
from typing import ClassVar

from django.db import models

from partner_app.core.partitions import month_of
from partner_app.tenancy.models import Company

KEEP = 90  # days
OPERATIONAL = "schedule and run counts; no customer content"


class RunState(models.TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    PARTIAL = "partial", "Done, with problems"
    FAILED = "failed", "Failed"


class Mode(models.TextChoices):
    FULL = "full", "Full sync"
    INCREMENTAL = "incremental", "Changes"
    TARGETED = "targeted", "Webhook events"


class SyncRun(models.Model):
    """One walk over a company's resources. `leased_until` is the company's lock while it runs."""

    operational: ClassVar[str] = OPERATIONAL
    keep_for: ClassVar[int] = KEEP
    kept_since: ClassVar[str] = "started_at"
    by_our_clock: ClassVar[tuple[str, ...]] = ("started_at", "finished_at", "leased_until")

    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    mode = models.TextField(choices=Mode.choices)
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
        indexes: ClassVar = [
            # newest_run(), for every page.
            models.Index(fields=["company", "-started_at"], name="run_newest"),
            # the dashboard's list of all tenants' runs.
            models.Index(fields=["-started_at", "-id"], name="run_newest_of_all"),
        ]

    @property
    def month(self) -> date:
        return month_of(self.started_at.date())


class SyncStep(models.Model):
    """One resource of one project (0: the company). Its counts are of the last attempt alone.

    `month` is the month in which the run began; the table is partitioned by it.
    """

    operational: ClassVar[str] = OPERATIONAL
    monthly: ClassVar[int] = KEEP

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="steps", db_index=False)
    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    month = models.DateField()
    resource = models.TextField()
    project_id = models.BigIntegerField(default=0)
    sweep = models.BooleanField(default=False)  # look for deletions as well
    whole = models.BooleanField(default=False, db_default=False)  # read everything: the daily proof
    done = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    error_code = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    fetched = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    deleted = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    unreadable = models.IntegerField(default=0, db_default=0)  # records, in part or whole
    suspect = models.IntegerField(default=0, db_default=0)  # missing there, kept here
    requests = models.IntegerField(default=0)
    progress = models.JSONField(null=True)  # where a pause ended it; see resuming.py

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "resource", "project_id", "month"], name="one_step_a_run"
            )
        ]
        db_table = "procore_step_by_month"


class SyncCursor(models.Model):
    """How far a resource of a project has been read, by Procore's clock."""

    operational: ClassVar[str] = OPERATIONAL
    by_our_clock: ClassVar[tuple[str, ...]] = ("full_at", "fresh_at", "refused_at", "failed_at")

    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    resource = models.TextField()
    project_id = models.BigIntegerField(default=0)
    updated_to = models.DateTimeField(null=True)
    full_at = models.DateTimeField(null=True)
    fresh_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)  # not requested again for a day
    failed_at = models.DateTimeField(null=True)  # of the last reading, where that failed
    failures = models.IntegerField(default=0, db_default=0)  # in a row
    trouble = models.TextField(blank=True, db_default="")  # code of the last reading's error
    via_id = models.BigIntegerField(null=True)  # Procore's id of the list's view
    via_fallback = models.BooleanField(default=False, db_default=False)  # not the one wanted
    unproved = models.IntegerField(default=0, db_default=0)  # records deleted without a proof
    unproved_since = models.DateTimeField(null=True)  # when the first of these was deleted

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "resource", "project_id"], name="one_cursor")
        ]


class Reason(models.TextChoices):
    """Why records that we hold are in doubt."""

    EMPTY = "empty", "The list is empty"
    SHRUNK = "shrunk", "The list lacks many records"
    HIDDEN = "hidden", "The list is not found"
    FORBIDDEN = "forbidden", "The list may not be read"
    NOT_PERMITTED = "not_permitted", "The project is not listed for the app"


class Permission(models.TextChoices):
    """What Procore says of the service account's access to the tool."""

    UNKNOWN = "unknown", "not known"
    DENIED = "denied", "no access"
    GRANTED = "granted", "access"


class Absence(models.Model):
    """A list that no longer shows records which we hold, without a proof that they are deleted.

    They are kept until there is a proof or a person confirms. `parents`: how many are missing of
    each, where every parent has a list. Of `projects`, each missing one has its own row.
    """

    operational: ClassVar[str] = OPERATIONAL

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)
    resource = models.TextField()
    project_id = models.BigIntegerField(default=0)
    reason = models.TextField(choices=Reason.choices)
    permission = models.TextField(choices=Permission.choices, default=Permission.UNKNOWN)
    missing = models.IntegerField()
    parents = models.JSONField(default=dict)
    since = models.DateTimeField()
    tries = models.IntegerField(default=0)
    retry_at = models.DateTimeField()  # no proof is requested before then
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "resource", "project_id"], name="one_absence"
            )
        ]

    @property
    def withheld(self) -> bool:
        """Procore says that the app may not read this."""
        told = self.reason in {Reason.NOT_PERMITTED, Reason.FORBIDDEN}
        return told or self.permission == Permission.DENIED


class DueWork(models.Model):
    """A sync to run. One row per company; claiming it takes a lease on the row."""

    operational: ClassVar[str] = OPERATIONAL
    by_our_clock: ClassVar[tuple[str, ...]] = ("due_at", "leased_until", "asked_at", "full_due_at")

    company = models.OneToOneField(Company, models.CASCADE, related_name="+")
    due_at = models.DateTimeField(db_index=True)  # claim_due(), every two seconds
    leased_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)  # when a person last requested all changes
    full_due_at = models.DateTimeField(null=True)  # a full sync that a person requested
    hooked = models.BooleanField(default=False)  # Procore sends webhooks
    pace = models.IntegerField(default=0)  # seconds between polls where calls are not planned


class ProjectUse(models.Model):
    """When a page of a project was last opened, and when its records last changed."""

    operational: ClassVar[str] = "which projects are in use: ids and times; no person, no content"

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)
    project_id = models.BigIntegerField()
    opened_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "project_id"], name="one_use")
        ]


class DueRead(models.Model):
    """A part that webhook events named as changed: read soon, once, however many they are."""

    operational: ClassVar[str] = OPERATIONAL
    by_our_clock: ClassVar[tuple[str, ...]] = ("due_at",)

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)
    resource = models.TextField()
    project_id = models.BigIntegerField(default=0)
    sweep = models.BooleanField(default=False)
    due_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "resource", "project_id", "sweep"], name="one_due_read"
            )
        ]


class Incident(models.Model):
    """Something that keeps a resource from being fresh; closed automatically when it is over."""

    operational: ClassVar[str] = "what is wrong and what to do, in words; no customer content"
    keep_for: ClassVar[int] = KEEP
    kept_since: ClassVar[str] = "opened_at"

    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    resource = models.TextField()
    code = models.TextField()
    message = models.TextField()
    remedy = models.TextField()
    projects = models.IntegerField(default=0)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "resource", "code"],
                condition=models.Q(closed_at=None),
                name="one_open_incident",
            )
        ]
        indexes: ClassVar = [
            # the dashboard's lists: of all tenants, and of those that are open.
            models.Index(fields=["-opened_at", "-id"], name="incident_newest"),
            models.Index(
                fields=["-opened_at", "-id"],
                condition=models.Q(closed_at=None),
                name="incident_newest_open",
            ),
        ]


class Quarantine(models.Model):
    """A record, or a field of one, that could not be read; `remote_id` null where it has no id."""

    operational: ClassVar[str] = "ids, names of fields and shapes of values; never a value"
    keep_for: ClassVar[int] = KEEP
    kept_since: ClassVar[str] = "last_seen_at"

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)
    resource = models.TextField()
    project_id = models.BigIntegerField(default=0)  # 0: the company
    remote_id = models.BigIntegerField(null=True)
    field = models.TextField()
    shape = models.TextField()  # "text where a date was expected"
    set_aside = models.BooleanField()  # the record is not stored; else only the field is empty
    records = models.IntegerField(default=1)  # more than one only without an id
    release = models.TextField()  # of the reading code that failed
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # Its index also serves every query here: for a company, and for one list of it.
            models.UniqueConstraint(
                fields=["company", "resource", "project_id", "remote_id", "field"],
                nulls_distinct=False,
                name="one_fault",
            )
        ]
