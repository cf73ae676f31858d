"""Sessions of the frame, the codes that begin them, and what Procore lets a viewer see."""

from typing import ClassVar

from django.db import models

from partner_app.tenancy.models import TenantModel


class HandoffCode(models.Model):
    """What the pop-up gives the frame: one use, two minutes, bound to the frame's nonce."""

    operational: ClassVar[str] = "read before the company is known; hashes and ids only"

    code_hash = models.BinaryField(primary_key=True)
    nonce_hash = models.BinaryField()
    company_id = models.BigIntegerField()
    remote_user_id = models.BigIntegerField()
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)


class EmbeddedSession(models.Model):
    """A bearer session: held in the frame's memory, known here by its hash."""

    operational: ClassVar[str] = "read before the company is known; hashes and ids only"

    token_hash = models.BinaryField(primary_key=True)
    company_id = models.BigIntegerField()
    remote_user_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class Entitlement(TenantModel):
    """What Procore said a viewer may see: of a project (or, at 0, which projects), and when."""

    pk = models.CompositePrimaryKey("company_id", "remote_user_id", "project_id")
    remote_user_id = models.BigIntegerField()
    project_id = models.BigIntegerField(default=0)
    tools = models.JSONField(default=list)
    project_ids = models.JSONField(default=list)
    checked_at = models.DateTimeField()
