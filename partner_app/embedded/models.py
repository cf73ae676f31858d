"""Sessions of the frame, the codes that begin them, and what Procore lets a viewer see."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from partner_app.tenancy.models import TenantModel


class SignInCode(models.Model):
    """The code that the pop-up passes to the frame: single use, two minutes, bound to its nonce."""

    operational: ClassVar[str] = "read before the company is known; hashes and ids only"
    ends_with_access: ClassVar[bool] = True
    keep_for: ClassVar[int] = 1
    kept_since: ClassVar[str] = "expires_at"

    code_hash = models.BinaryField(primary_key=True)
    nonce_hash = models.BinaryField()
    company_id = models.BigIntegerField()
    remote_user_id = models.BigIntegerField()
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "embedded_handoffcode"


class Pairing(models.Model):
    """The second way to sign a frame in, where a page on the way cut the pop-up's opener.

    The frame shows a code; the person who has signed in types it into the pop-up. Both ends prove
    the same nonce, so nobody can be led to sign in for another person's frame.
    """

    operational: ClassVar[str] = "read before the company is known; hashes and ids only"
    ends_with_access: ClassVar[bool] = True
    keep_for: ClassVar[int] = 1
    kept_since: ClassVar[str] = "expires_at"

    nonce_hash = models.BinaryField(primary_key=True)
    code_hash = models.BinaryField()
    tries_left = models.SmallIntegerField()
    company_id = models.BigIntegerField(null=True)
    remote_user_id = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField()


class EmbeddedSession(models.Model):
    """A bearer session: held in the frame's memory, stored here as a hash.

    `renewal_hash` is of a secret that survives a reload where the browser lets the frame store one;
    it is used once. `family` links the sessions that came from one sign-in.
    """

    operational: ClassVar[str] = "read before the company is known; hashes and ids only"
    ends_with_access: ClassVar[bool] = True
    keep_for: ClassVar[int] = 1
    kept_since: ClassVar[str] = "expires_at"

    token_hash = models.BinaryField(primary_key=True)
    company_id = models.BigIntegerField()
    remote_user_id = models.BigIntegerField()
    family = models.UUIDField()
    renewal_hash = models.BinaryField(unique=True)
    renewed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class ViewerProfile(TenantModel):
    """The name of a person who has signed in, to greet them and to sign approvals."""

    pk = models.CompositePrimaryKey("company_id", "remote_user_id")
    remote_user_id = models.BigIntegerField()
    name = models.TextField()
    last_seen_at = models.DateTimeField()
    tour_ended = models.BooleanField(default=False)


class Entitlement(TenantModel):
    """What Procore said a viewer may see of a project (at 0: which projects), and when."""

    ends_with_access: ClassVar[bool] = True
    keep_for: ClassVar[int] = 1
    kept_since: ClassVar[str] = "checked_at"

    pk = models.CompositePrimaryKey("company_id", "remote_user_id", "project_id")
    remote_user_id = models.BigIntegerField()
    project_id = models.BigIntegerField(default=0)
    tools = models.JSONField(default=list)
    # By tool, as Level counts; without an entry, a tool can only be read.
    levels = models.JSONField(default=dict, db_default={})
    edits_budget = models.BooleanField(default=False)
    # Tools for which Procore's response could not be read: they count as not given.
    unclear = ArrayField(models.TextField(), default=list, db_default=[])
    project_ids = models.JSONField(default=list)
    checked_at = models.DateTimeField()
