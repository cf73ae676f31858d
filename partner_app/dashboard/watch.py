"""Raises incidents that no sync can open, for tenants that do not sync at all.

Each kind is one query over all tenants; it opens what is new and closes what is over.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.procore.sync.models import Incident
from integrations.procore.webhooks.models import HookState, WebhookHook
from partner_app.connections.errors import ReconnectNeeded
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.dashboard.models import TenantSummary
from partner_app.tenancy.models import CONNECTED, USABLE, Company, CompanyState

LATE = timedelta(minutes=45)  # three polls at the slowest pace; see sync.schedule
FIRST = timedelta(minutes=30)  # for the first sync


@dataclass(frozen=True)
class Watched:
    """`resource` takes the place of the resource that a sync's incident names."""

    resource: str
    code: str
    message: str
    remedy: str


RECONNECT = Watched(
    "connection", ReconnectNeeded.code, ReconnectNeeded.user_message, ReconnectNeeded.remedy
)
LATE_SYNC = Watched(
    "sync",
    "sync.late",
    "No sync has finished for more than 45 minutes.",
    "Check queues and workers first; then the newest sync of this tenant.",
)
HOOK = Watched(
    "webhooks",
    "hook.refused",
    "Procore does not let the app register its webhook.",
    "The service account needs the permission “Webhooks API: Standard”; until then polling keeps "
    "the data fresh.",
)


def watch() -> None:
    _note(RECONNECT, Company.objects.filter(state=CompanyState.RECONNECT_NEEDED))
    _note(LATE_SYNC, _late())
    refused = WebhookHook.objects.filter(state=HookState.REFUSED)
    _note(HOOK, Company.objects.filter(state__in=CONNECTED, id__in=refused.values("company_id")))
    _close_gone()


def _late() -> QuerySet[Company]:
    now = clock.now()
    ended = TenantSummary.objects.filter(company_id=OuterRef("id"))
    lately = Exists(ended.filter(run_at__gt=now - LATE))
    young = Q(state_since__gt=now - FIRST)
    waits = Company.objects.filter(state__in=CONNECTED, paused_at=None)
    return waits.exclude(lately).exclude(young & ~Exists(ended))


def _note(kind: Watched, concerned: QuerySet[Company]) -> None:
    now = clock.now()
    standing = Incident.objects.filter(code=kind.code, resource=kind.resource, closed_at=None)
    known = standing.filter(company_id=OuterRef("id"))
    new = list(concerned.exclude(Exists(known)).values_list("id", flat=True))
    Incident.objects.bulk_create(
        [
            Incident(
                company_id=company_id,
                resource=kind.resource,
                code=kind.code,
                message=kind.message,
                remedy=kind.remedy,
                opened_at=now,
                seen_at=now,
            )
            for company_id in new
        ],
        ignore_conflicts=True,
    )
    over = standing.exclude(company_id__in=concerned.values("id")).update(closed_at=now)
    if new or over:
        log.info("incidents.watched", code=kind.code, opened=len(new), closed=over)


def _close_gone() -> None:
    """A company that has left needs no fix."""
    left = Company.objects.exclude(state__in=USABLE)
    gone = Incident.objects.filter(closed_at=None, company_id__in=left.values("id"))
    gone.update(closed_at=clock.now())
