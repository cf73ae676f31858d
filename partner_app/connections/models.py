"""Sealed tokens, and sign-ins in progress."""

from typing import ClassVar

from django.db import models

from partner_app.tenancy.models import TenantModel


class ConnectionKind(models.TextChoices):
    SERVICE = "service", "Service account"
    INSTALLER = "installer", "The administrator who connected"
    VIEWER = "viewer", "A person in the frame"


class Connection(TenantModel):
    """One credential at one company. Tokens are ciphertext; `generation` counts refreshes.

    A service account's row only records that the company is connected through it: the token is in
    AppToken.

    `spent_at` records that the refresh token is being, or was, sent to Procore. It is committed
    before the call, so that another process cannot use the token again if this one dies in between.
    """

    sealed: ClassVar[tuple[str, ...]] = ("access_token", "refresh_token")

    pk = models.CompositePrimaryKey("company_id", "kind", "remote_user_id")
    kind = models.TextField(choices=ConnectionKind.choices)
    remote_user_id = models.BigIntegerField(default=0)
    access_token = models.BinaryField()
    refresh_token = models.BinaryField(null=True)
    expires_at = models.DateTimeField()
    generation = models.IntegerField(default=1)
    spent_at = models.DateTimeField(null=True)
    spent_by = models.UUIDField(null=True)
    broken_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    updated_at = models.DateTimeField()


class Outcome(models.TextChoices):
    """How Procore responded when the service account asked for its own permissions."""

    ANSWERED = "answered", "Answered"
    NOT_PERMITTED = "not_permitted", "Not among the permitted projects"
    REFUSED = "refused", "Refused"
    UNREADABLE = "unreadable", "Not understood"


class GrantedRights(TenantModel):
    """What the service account may do on a project (at 0: the company), and when that was checked.

    `tools`: level and granular permissions of each tool that the app needs. The company's row also
    records whether an update of the app is waiting there; None where Procore does not say.
    """

    keep_for: ClassVar[int] = 90
    kept_since: ClassVar[str] = "checked_at"

    pk = models.CompositePrimaryKey("company_id", "project_id")
    project_id = models.BigIntegerField(default=0)
    outcome = models.TextField(choices=Outcome.choices)
    tools = models.JSONField(default=dict)
    unclear = models.JSONField(default=list)
    update_waits = models.BooleanField(null=True)
    checked_at = models.DateTimeField()


class AppToken(models.Model):
    """The app's own token, by client credentials: one row, for all companies and processes.

    Procore does not bind it to a company; the header of each call names the company. `failed_at`:
    when the last request for one failed.
    """

    operational: ClassVar[str] = "the app's own token, sealed; of no company"
    sealed: ClassVar[tuple[str, ...]] = ("access_token",)

    id = models.SmallIntegerField(primary_key=True, default=1)
    access_token = models.BinaryField()
    expires_at = models.DateTimeField()
    generation = models.IntegerField(default=0)
    failed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_app_token")
        ]


class Purpose(models.TextChoices):
    INSTALL = "install", "Install"
    VIEW = "view", "View"


class SignInAttempt(models.Model):
    """A sign-in in progress: known by the hash of its state, bound to one browser, used once."""

    operational: ClassVar[str] = "exists before the company is known; sealed, minutes old"
    company_column: ClassVar[str] = "company_hint"
    ends_with_access: ClassVar[bool] = True
    keep_for: ClassVar[int] = 1
    kept_since: ClassVar[str] = "created_at"

    state_hash = models.BinaryField(primary_key=True)
    browser_hash = models.BinaryField()
    nonce_hash = models.BinaryField(null=True)
    purpose = models.TextField(choices=Purpose.choices)
    company_hint = models.BigIntegerField(null=True)
    popup = models.BooleanField(default=False)
    verifier = models.BinaryField()
    tokens = models.BinaryField(null=True)
    remote_user_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)


class ApiDay(models.Model):
    """Calls to Procore for one company (0: for none) on one UTC day, and failed ones among them."""

    operational: ClassVar[str] = "how many calls, and how they were answered; no customer content"
    company_column: ClassVar[str] = "company_id"
    keep_for: ClassVar[int] = 90
    kept_since: ClassVar[str] = "day"

    company_id = models.BigIntegerField()
    day = models.DateField()
    calls = models.IntegerField(default=0)
    unreachable = models.IntegerField(default=0)
    unauthorized = models.IntegerField(default=0)
    forbidden = models.IntegerField(default=0)
    not_found = models.IntegerField(default=0)
    rate_limited = models.IntegerField(default=0)
    server_errors = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company_id", "day"], name="one_api_day")
        ]
        indexes: ClassVar = [
            # two weeks of all companies.
            models.Index(fields=["day"], name="api_day")
        ]
