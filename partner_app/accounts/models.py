"""Partner admins and their roles, the links that set them up, and a company's word that support
may look."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from partner_app.tenancy.models import TenantModel


class Role(models.TextChoices):
    """Each may do what the one before it may, and more."""

    VIEWER = "viewer", "Viewer"
    SUPPORT = "support", "Support"
    OPERATOR = "operator", "Operator"
    OWNER = "owner", "Owner"

    def covers(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class PartnerAdmin(models.Model):
    """Somebody of the partner's people, as whom a Django user signs in."""

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
        """As the audit log names them."""
        return f"partner:{self.user.get_username()}"


class SetUpLink(models.Model):
    """Opens once, for a day: whoever holds it chooses a password and a second factor."""

    keep_for: ClassVar[int] = 1
    kept_since: ClassVar[str] = "expires_at"

    secret_hash = models.BinaryField(primary_key=True)
    admin = models.ForeignKey(PartnerAdmin, models.CASCADE, related_name="set_up_links")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class SupportGrant(TenantModel):
    """A company lets the partner's support see its content until then."""

    id = models.BigAutoField(primary_key=True)
    granted_by = models.BigIntegerField()
    granted_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # living_grant(), on every look under a grant.
            models.Index(fields=["company", "-until"], name="support_grant_until")
        ]
