"""Partner admins and roles, their set-up links, and the support grants of companies."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from partner_app.tenancy.models import TenantModel


class Role(models.TextChoices):
    """Each includes the rights of the one before."""

    VIEWER = "viewer", "Viewer"
    SUPPORT = "support", "Support"
    OPERATOR = "operator", "Operator"
    OWNER = "owner", "Owner"

    def covers(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class PartnerAdmin(models.Model):
    """A member of the partner's staff, who signs in as a Django user."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="partner_admin"
    )
    role = models.TextField(choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="known_partner_role"
            )
        ]

    @property
    def actor(self) -> str:
        """The name in the audit log."""
        return f"partner:{self.user.get_username()}"


class SetUpLink(models.Model):
    """Works once, for a day: its holder chooses a password and a second factor."""

    keep_for: ClassVar[int] = 1
    kept_since: ClassVar[str] = "expires_at"

    secret_hash = models.BinaryField(primary_key=True)
    admin = models.ForeignKey(PartnerAdmin, models.CASCADE, related_name="set_up_links")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class SupportGrant(TenantModel):
    """A company lets the partner's support see its content until this expires."""

    id = models.BigAutoField(primary_key=True)
    granted_by = models.BigIntegerField()
    granted_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # living_grant(), on every access under a grant.
            models.Index(fields=["company", "-until"], name="support_grant_until")
        ]
