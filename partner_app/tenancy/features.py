"""Features that can be switched off for one company, at its request or during a problem."""

from django.db import models, transaction

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.tenancy.errors import FeatureOff
from partner_app.tenancy.models import Company


class Feature(models.TextChoices):
    HANDOFFS = "handoffs", "Estimate Handoff"
    DIGESTS = "digests", "Email digest"
    WEBHOOKS = "webhooks", "Webhooks"


def is_on(company: Company, feature: Feature) -> bool:
    return feature not in company.switched_off


def require(company: Company, feature: Feature) -> None:
    """Raises FeatureOff."""
    if not is_on(company, feature):
        raise FeatureOff(feature=feature.label)


@transaction.atomic
def switch(*, company_id: int, feature: Feature, on: bool, actor: str) -> None:
    company = Company.objects.select_for_update().get(id=company_id)
    off = {*company.switched_off} - {feature} if on else {*company.switched_off, feature}
    company.switched_off = sorted(off)
    company.save(update_fields=["switched_off"])
    event = Event.FEATURE_SWITCHED
    record(event, actor=actor, company_id=company_id, feature=feature, on="yes" if on else "no")
