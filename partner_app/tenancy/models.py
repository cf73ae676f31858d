"""Companies and their life cycle, and the base of every table with customer content."""

from typing import ClassVar, NewType

from django.db import models

# One deployment speaks to one Procore environment, where company ids are unique: theirs is ours.
CompanyId = NewType("CompanyId", int)


class CompanyState(models.TextChoices):
    DISCOVERED = "discovered", "Installed in Procore"
    CONNECTED = "connected", "Connected"
    RECONNECT_NEEDED = "reconnect_needed", "Reconnect needed"
    GONE = "gone", "Uninstalled"


class Company(models.Model):
    """A Procore company.

    Its name is needed by the partner's operations; nothing else is content.
    """

    operational: ClassVar[str] = "life cycle and schedule; the name is shown to partner admins"

    id = models.BigIntegerField(primary_key=True)
    name = models.TextField()
    state = models.TextField(choices=CompanyState.choices, default=CompanyState.DISCOVERED)
    state_since = models.DateTimeField()
    purge_after = models.DateTimeField(null=True)

    @property
    def usable(self) -> bool:
        return self.state in {CompanyState.CONNECTED, CompanyState.RECONNECT_NEEDED}


class TenantModel(models.Model):
    """Customer content: forced row-level security by the table's own migration."""

    tenant_table: ClassVar[bool] = True

    company = models.ForeignKey(Company, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        abstract = True
