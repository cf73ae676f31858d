"""The digest by mail: new exceptions of a viewer, for people who subscribed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from integrations.procore.api.errors import ProcoreError
from integrations.procore.resources.projects import Project
from integrations.procore.sync.derived import DerivedWork, close_incident, report_fault
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.connections.errors import ReconnectNeeded
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.core.mail import MailFailed, deliver
from partner_app.embedded.entitlement import Rights, address_of, rights_across, visible_projects
from partner_app.embedded.session import Viewer
from partner_app.insights.models import Digest, DigestWork
from partner_app.insights.selectors import (
    CaseLine,
    News,
    case_rows,
    cases_of,
    news_since,
    not_snoozed,
)
from partner_app.tenancy.context import tenant
from partner_app.tenancy.features import Feature, is_on
from partner_app.tenancy.models import Company

MORNING = 12  # o'clock in UTC: early in North America
SATURDAY = 5
SHOWN = 10  # exceptions per mail
LATER = timedelta(minutes=15)  # after a mail server, or Procore, did not respond
AFTER_FAULT = timedelta(hours=6)  # after a fault of ours: the same mail would usually fail again
LEASE = timedelta(minutes=10)  # while one worker handles a digest
DIGEST = DerivedWork(
    "digests", "derived.digest", "A digest could not be completed ({cause}).",
)  # fmt: skip


def subscribe(viewer: Viewer, *, weekly: bool) -> None:
    """Uses the address in Procore. Raises ProcoreError."""
    address = address_of(viewer)
    with tenant(viewer.company_id):
        Digest.objects.update_or_create(
            company_id=viewer.company_id,
            remote_user_id=viewer.remote_user_id,
            defaults={
                "address": address,
                "weekly": weekly,
                "language": get_language() or "en",
                "sent_at": clock.now(),
            },
        )
        DigestWork.objects.update_or_create(
            company_id=viewer.company_id,
            remote_user_id=viewer.remote_user_id,
            defaults={"due_at": next_morning(clock.now(), weekly=weekly)},
        )
        _note(viewer, "weekly" if weekly else "daily")


def unsubscribe(viewer: Viewer) -> None:
    """Deletes the address at once."""
    here = {"company_id": viewer.company_id, "remote_user_id": viewer.remote_user_id}
    with tenant(viewer.company_id):
        Digest.objects.filter(**here).delete()
        DigestWork.objects.filter(**here).delete()
        _note(viewer, "none")


def digest_of(viewer: Viewer) -> Digest | None:
    """Inside tenant()."""
    return Digest.objects.filter(
        company_id=viewer.company_id, remote_user_id=viewer.remote_user_id
    ).first()


def next_morning(now: datetime, *, weekly: bool) -> datetime:
    """The next workday's, or the next Monday's."""
    found = now.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    while found <= now or found.weekday() >= SATURDAY or (weekly and found.weekday() != 0):
        found += timedelta(days=1)
    return found


def send_due() -> int:
    """Each digest separately: a failed one does not hold up the others."""
    sent = 0
    while work := _claim():
        sent += _try(work)
    return sent


def _try(work: DigestWork) -> bool:
    try:
        sent = _send(work)
    except Exception as error:  # noqa: BLE001  # one digest's fault holds up no other
        report_fault(DIGEST, work.company_id, error)
        DigestWork.objects.filter(id=work.id).update(due_at=clock.now() + AFTER_FAULT)
        return False
    close_incident(DIGEST, work.company_id)
    return sent


def _claim() -> DigestWork | None:
    now = clock.now()
    with transaction.atomic():
        due = DigestWork.objects.filter(due_at__lte=now).order_by("due_at")
        work = due.select_for_update(skip_locked=True).first()
        if work:
            work.due_at = now + LEASE
            work.save(update_fields=["due_at"])
    return work


def _send(work: DigestWork) -> bool:
    viewer = Viewer(work.company_id, work.remote_user_id)
    try:
        with tenant(work.company_id):
            digest = digest_of(viewer)
            company = Company.objects.get(id=work.company_id)
        if digest is None:
            work.delete()
            return False
        wanted = company.usable and is_on(company, Feature.DIGESTS)
        sent = wanted and _mail(viewer, digest, company)
    except ReconnectNeeded:
        # Their access has ended, and so has the digest; they may subscribe again.
        unsubscribe(viewer)
        return False
    except (ProcoreError, MailFailed, OSError) as error:
        log.warning("digest.postponed", company_id=work.company_id, reason=type(error).__name__)
        DigestWork.objects.filter(id=work.id).update(due_at=clock.now() + LATER)
        return False
    now = clock.now()
    with tenant(work.company_id):
        Digest.objects.filter(
            company_id=work.company_id, remote_user_id=work.remote_user_id
        ).update(sent_at=now)
        DigestWork.objects.filter(id=work.id).update(due_at=next_morning(now, weekly=digest.weekly))
    return sent


def _mail(viewer: Viewer, digest: Digest, company: Company) -> bool:
    """False where nothing is new: then no mail is sent."""
    message = letter(digest, company, _rights(viewer))
    if message is None:
        return False
    deliver(message)
    return True


def letter(digest: Digest, company: Company, rights: Mapping[int, Rights]) -> EmailMessage | None:
    """New cases since the last digest that the viewer may see; None where there are none."""
    with tenant(company.id), override(digest.language):
        projects = Project.objects.filter(company_id=company.id, remote_id__among=set(rights))
        news = news_since(company.id, rights, digest.sent_at)
        if not news.any:
            return None
        cases = case_rows(
            not_snoozed(cases_of(company.id, rights))[:SHOWN],
            rights,
            names=dict(projects.values_list("remote_id", "name")),
            seen=digest.sent_at,
        )
        return _message(digest, company, news, cases)


def _message(digest: Digest, company: Company, news: News, cases: list[CaseLine]) -> EmailMessage:
    subject = _("%(company)s: %(number)s new exceptions") % {
        "company": company.name, "number": news.opened,
    }  # fmt: skip
    context = {
        "company": company,
        "news": news,
        "cases": [(line, link(company.id, f"exceptions/{line.case.id}/")) for line in cases],
        "all": link(company.id, "exceptions/"),
        "settings": link(company.id, "settings/"),
    }
    text = render_to_string("insights/digest.txt", context)
    return EmailMessage(subject.replace("\n", " "), text, to=[digest.address])


def link(company_id: int, page: str) -> str:
    """Opens a page of the frame in a tab of its own."""
    query = urlencode({"company_id": company_id, "open": page})
    return f"{settings.BASE_URL}/embedded/?{query}"


def _rights(viewer: Viewer) -> dict[int, Rights]:
    """For all projects, in as many rounds as needed. Raises ProcoreError, ReconnectNeeded."""
    visible = visible_projects(viewer)
    rights, asking = rights_across(viewer, visible)
    while asking:
        known = len(rights)
        rights, asking = rights_across(viewer, visible)
        if len(rights) == known:  # the others are hidden
            break
    return rights


def _note(viewer: Viewer, choice: str) -> None:
    record(Event.DIGEST_CHANGED, actor=viewer.actor, company_id=viewer.company_id, choice=choice)
