"""A foreign estimate as it was read: exact decimals, row numbers, and where each line goes."""

import uuid
from typing import ClassVar

from django.db import models

from partner_app.tenancy.models import TenantModel


class Estimate(TenantModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project_id = models.BigIntegerField()
    file_name = models.TextField()
    file_hash = models.BinaryField()
    total = models.DecimalField(max_digits=24, decimal_places=6)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "id"], name="estimate_company")
        ]


class EstimateLine(TenantModel):
    id = models.BigAutoField(primary_key=True)
    estimate = models.ForeignKey(Estimate, models.CASCADE, related_name="lines")
    row = models.IntegerField()
    item_code = models.TextField()
    description = models.TextField()
    quantity = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    unit = models.TextField()
    unit_price = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    amount = models.DecimalField(max_digits=24, decimal_places=6)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "id"], name="line_company"),
            models.UniqueConstraint(fields=["estimate", "row"], name="one_line_a_row"),
        ]


class LineMapping(TenantModel):
    """A line, or a share of it, and the WBS code that it goes to. Shares add up to the line."""

    id = models.BigAutoField(primary_key=True)
    line = models.ForeignKey(EstimateLine, models.CASCADE, related_name="mappings")
    wbs_code = models.TextField()
    amount = models.DecimalField(max_digits=28, decimal_places=10)
    reason = models.TextField()


class MappingRule(TenantModel):
    """The company's memory: an item code, or a description and unit, and the WBS code it went to.

    Exactly one of `item_code` and `words` is set.
    """

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
