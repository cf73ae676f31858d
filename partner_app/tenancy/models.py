"""Companies and their life cycle, and the base of every table with customer content."""

from typing import ClassVar, NewType

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

# One deployment serves one Procore environment, where company ids are unique: we use the same.
CompanyId = NewType("CompanyId", int)

LONGEST_GRACE = 30  # days


class CompanyState(models.TextChoices):
    """lifecycle.MOVES lists the permitted transitions. A purged company has no row."""

    DISCOVERED = "discovered", _("Installed in Procore")
    CONNECTING = "connecting", _("Connecting")
    ACTIVE = "active", _("Active")
    DEGRADED = "degraded", _("Degraded")
    RECONNECT_NEEDED = "reconnect_needed", _("Reconnect needed")
    DISCONNECTED = "disconnected", _("Disconnecting")
    GRACE = "grace", _("Uninstalled, data kept for now")


# Procore lets us call, and people may look.
CONNECTED = (CompanyState.ACTIVE, CompanyState.DEGRADED)
# People may look; only the connection has to be fixed.
USABLE = (*CONNECTED, CompanyState.RECONNECT_NEEDED)


class Company(models.Model):
    """A Procore company.

    The partner's operations need its name; nothing else is content.
    """

    operational: ClassVar[str] = "life cycle and schedule; the name is shown to partner admins"

    id = models.BigIntegerField(primary_key=True)
    name = models.TextField()
    state = models.TextField(choices=CompanyState.choices, default=CompanyState.DISCOVERED)
    state_since = models.DateTimeField()
    state_reason = models.TextField(blank=True)
    grace_days = models.SmallIntegerField(default=LONGEST_GRACE)
    purge_after = models.DateTimeField(null=True)
    # The submitter of a plan may not approve it, unless the company permits that.
    duties_apart = models.BooleanField(default=True)
    paused_at = models.DateTimeField(null=True)  # an operator has paused its syncs
    switched_off = ArrayField(
        models.TextField(), default=list, db_default=[]
    )  # of features.Feature

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(grace_days__gte=0, grace_days__lte=LONGEST_GRACE),
                name="grace_at_most_30_days",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=CompanyState.values), name="known_company_state"
            ),
        ]
        indexes: ClassVar = [
            # purge_due(), every ten minutes.
            models.Index(fields=["purge_after"], name="company_purge_due")
        ]

    @property
    def usable(self) -> bool:
        return self.state in USABLE


class Installation(models.Model):
    """History: when a company installed and removed the app."""

    operational: ClassVar[str] = "times of install and uninstall; no customer content"

    company = models.ForeignKey(Company, models.CASCADE, related_name="installations")
    installed_at = models.DateTimeField()
    uninstalled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company"],
                condition=models.Q(uninstalled_at=None),
                name="one_living_installation",
            )
        ]


class TenantModel(models.Model):
    """Customer content: the table's own migration forces row-level security."""

    tenant_table: ClassVar[bool] = True

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        abstract = True
