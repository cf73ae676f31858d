"""A third-party estimate as it was read: exact decimals, row numbers, and each line's mapping."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from partner_app.estimates.errors import Refusal
from partner_app.tenancy.models import Company, TenantModel


class EstimateState(models.TextChoices):
    """`asking`: a question must be answered before lines can be counted."""

    ASKING = "asking", _("Needs an answer")
    READ = "read", _("Read")


class Estimate(TenantModel):
    """`question` holds the error that asks the question; the choice fields hold the answers.

    `version` changes with every new reading and every change of the mapping, so that an earlier
    plan is known to be stale.
    """

    exported: ClassVar[str] = "estimates"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project_id = models.BigIntegerField()
    file_name = models.TextField()
    file_hash = models.BinaryField()
    total = models.DecimalField(max_digits=24, decimal_places=6)
    created_at = models.DateTimeField()
    created_by = models.TextField(default="operator")
    state = models.TextField(choices=EstimateState.choices, default=EstimateState.READ)
    version = models.IntegerField(default=1)
    revision_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="revisions")
    question = models.JSONField(default=dict)
    part = models.TextField(blank=True)
    sheet = models.TextField(blank=True)
    columns = models.JSONField(default=dict)  # our name of a column → its place, chosen by a person
    mended = models.JSONField(default=dict)  # row → our name of a column → corrected text
    left_out = models.JSONField(default=list)  # rows
    layout = models.JSONField(default=dict)  # as recognised, for the preview

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "id"], name="estimate_company"),
            # Referenced by revisions and handoffs: never an estimate of another project.
            models.UniqueConstraint(
                fields=["company", "project_id", "id"], name="estimate_project"
            ),
        ]
        indexes: ClassVar = [
            # estimates of a project, newest first.
            models.Index(fields=["company", "project_id", "-created_at"], name="estimate_newest")
        ]


class EstimateOriginal(TenantModel):
    """The original file, compressed and sealed: read again when an answer changes."""

    sealed: ClassVar[tuple[str, ...]] = ("content",)
    keep_for: ClassVar[int] = 365  # days; the lines stay
    kept_since: ClassVar[str] = "stored_at"

    estimate = models.OneToOneField(
        Estimate, models.CASCADE, primary_key=True, related_name="original"
    )
    content = models.BinaryField()
    stored_at = models.DateTimeField()


class ReadingKind(models.TextChoices):
    """The input: a new estimate, another file for one, or an answer about one."""

    NEW = "new"
    FILE = "file"
    ANSWER = "answer"


class ReadingState(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class FileReading(TenantModel):
    """An uploaded file, until it has become an estimate or a refusal.

    Its pieces are the file; they are deleted once they are no longer needed. An answer has none:
    the estimate's own file is read again. `answer` holds the fields of AnswerForm. `estimate` is
    the new estimate, or the one to change. `error` is a refusal in the form that Refusal reads.
    Whether it is being read now, and how far, is in FileWork.
    """

    keep_for: ClassVar[int] = 1  # days
    kept_since: ClassVar[str] = "created_at"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project_id = models.BigIntegerField()
    kind = models.TextField(choices=ReadingKind.choices)
    state = models.TextField(choices=ReadingState.choices, default=ReadingState.WAITING)
    estimate = models.ForeignKey(Estimate, models.CASCADE, null=True, related_name="readings")
    revision_of = models.ForeignKey(Estimate, models.SET_NULL, null=True, related_name="+")
    file_name = models.TextField()
    answer = models.JSONField(default=dict)
    error = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.TextField()

    class Meta:
        indexes: ClassVar = [
            # unfinished(), of a project's page.
            models.Index(fields=["company", "project_id"], name="reading_project")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "id"], name="reading_company")
        ]

    @property
    def refusal(self) -> Refusal | None:
        return Refusal(**self.error) if self.error else None


class FilePiece(TenantModel):
    """A part of a file, compressed and sealed: no web process holds a large file as a whole."""

    sealed: ClassVar[tuple[str, ...]] = ("content",)

    id = models.BigAutoField(primary_key=True)
    reading = models.ForeignKey(FileReading, models.CASCADE, related_name="pieces")
    place = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reading", "place"], name="one_piece_a_place")
        ]


class FileWork(models.Model):
    """A reading to be continued until it has ended: the record behind Celery's wake-up messages.

    Without row-level security, so that a periodic task finds readings whose message was lost.
    `holder` has the lease: one reading per company at a time, so that each company gets its turn.
    `seen_at` is when a page last polled it. `step`, `done` and `total` give the progress.
    """

    operational: ClassVar[str] = "ids, lease and progress of files being read; no customer content"
    by_our_clock: ClassVar[tuple[str, ...]] = ("rung_at", "leased_until")

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)
    reading_id = models.UUIDField(unique=True)
    asked_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    holder = models.UUIDField(null=True)
    attempts = models.IntegerField(default=0)
    cancelled = models.BooleanField(default=False)
    step = models.TextField(default="waits")
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company"],
                condition=models.Q(holder__isnull=False),
                name="one_reading_a_company",
            )
        ]
        indexes: ClassVar = [
            # claim_due(), every two seconds.
            models.Index(fields=["company", "asked_at"], name="file_work_turn")
        ]


class EstimateProblem(TenantModel):
    """A cell that cannot be read (`blocking`), or that a person should check."""

    exported: ClassVar[str] = "estimate_problems"

    id = models.BigAutoField(primary_key=True)
    estimate = models.ForeignKey(Estimate, models.CASCADE, related_name="problems")
    row = models.IntegerField()
    column = models.TextField()
    field = models.TextField()
    raw = models.TextField()
    message = models.TextField()
    blocking = models.BooleanField()


class EstimateLine(TenantModel):
    """`group` is equal for lines that are mapped together: same item code, words and unit.

    `suggestions` hold WBS code, confidence and reason, most likely first. `mapped` records that
    there are mappings: it is stored because it is read for ten thousand lines at a time.
    """

    exported: ClassVar[str] = "estimate_lines"

    id = models.BigAutoField(primary_key=True)
    estimate = models.ForeignKey(Estimate, models.CASCADE, related_name="lines")
    row = models.IntegerField()
    item_code = models.TextField()
    description = models.TextField()
    quantity = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    unit = models.TextField()
    unit_price = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    amount = models.DecimalField(max_digits=24, decimal_places=6)
    cost_type = models.TextField(blank=True)
    group = models.TextField(blank=True, db_collation="C")  # compared, never read
    mapped = models.BooleanField(default=False)
    suggestions = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "id"], name="line_company"),
            models.UniqueConstraint(fields=["estimate", "row"], name="one_line_a_row"),
        ]
        indexes: ClassVar = [
            # groups() of the review page, standing(), and a decision on one group.
            models.Index(fields=["estimate", "mapped", "group"], name="line_group")
        ]


class MappingSource(models.TextChoices):
    """What mapped a line to its WBS code."""

    FILE = "file", _("Mapping file")
    EXACT = "exact", _("Code in the estimate")
    MEMORY = "memory", _("As before")
    SUGGESTION = "suggestion", _("Suggestion, accepted")
    PERSON = "person", _("Chosen")


class LineMapping(TenantModel):
    """A line, or a share of it, and its WBS code. The shares add up to the line."""

    exported: ClassVar[str] = "line_mappings"

    id = models.BigAutoField(primary_key=True)
    line = models.ForeignKey(EstimateLine, models.CASCADE, related_name="mappings")
    wbs_code = models.TextField()
    amount = models.DecimalField(max_digits=28, decimal_places=10)
    reason = models.TextField()
    evidence = models.TextField(choices=MappingSource.choices, default=MappingSource.FILE)
    chosen_by = models.TextField(default="operator")


class MappingRule(TenantModel):
    """The company's memory: an item code, or a description and unit, and its last WBS code.

    Exactly one of `item_code` and `words` is set.
    """

    exported: ClassVar[str] = "mapping_rules"

    id = models.BigAutoField(primary_key=True)
    item_code = models.TextField(blank=True)
    words = models.TextField(blank=True)
    unit = models.TextField(blank=True)
    wbs_code = models.TextField()
    hits = models.IntegerField(default=0)
    learned_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "item_code", "words", "unit"], name="one_rule_a_key"
            ),
            models.CheckConstraint(
                condition=models.Q(item_code="") ^ models.Q(words=""), name="rule_by_code_or_words"
            ),
        ]
