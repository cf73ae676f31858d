"""Alerts the partner's people to incidents: once when one opens and once when it is over.

Incidents that open within some seconds are sent as one message. Nothing is sent in a channel's
quiet hours; an incident that opened and closed within them is never reported.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef

from integrations.notify.webhook import NotifyFailed, post
from integrations.procore.resources.registry import label
from integrations.procore.sync.models import Incident
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.core.mail import MailFailed, deliver
from partner_app.core.sealing import unseal
from partner_app.dashboard.incidents import next_step
from partner_app.dashboard.models import AlertChannel, AlertNotice, ChannelKind

TOGETHER = timedelta(seconds=15)  # incidents that open within it go into one message
LINES = 20  # per message; the rest is only counted
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)  # after a failure; doubles


def send_alerts() -> int:
    """The number of messages sent. A channel that fails does not hold up the others."""
    now = clock.now()
    ready = AlertChannel.objects.filter(again_at=None) | AlertChannel.objects.filter(
        again_at__lte=now
    )
    return sum(_try(channel_id) for channel_id in list(ready.values_list("id", flat=True)))


def _try(channel_id: int) -> bool:
    try:
        return _tell(channel_id)
    except Exception as error:  # noqa: BLE001  # one channel's fault holds up no other
        log.error("alert.broken", channel_id=channel_id, exc_info=error)
        _postpone(channel_id, f"The message could not be made ({type(error).__name__}).")
        return False


def _tell(channel_id: int) -> bool:
    """In one transaction under the channel's lock: sent and recorded, or neither."""
    with transaction.atomic():
        free = AlertChannel.objects.select_for_update(skip_locked=True)
        channel = free.filter(id=channel_id).first()
        if channel is None or is_quiet(channel, clock.now()):
            return False
        opened, closed = _news(channel)
        if not opened and not closed:
            return False
        now = clock.now()
        AlertNotice.objects.bulk_create(
            AlertNotice(channel=channel, incident=each, opened_told_at=now) for each in opened
        )
        told = AlertNotice.objects.filter(channel=channel, incident__in=closed)
        told.update(closed_told_at=now)
        try:
            send(channel, subject(opened, closed), message(opened, closed))
        except NotifyFailed as error:
            transaction.set_rollback(True)
            reason = str(error)
        else:
            channel.told_at, channel.again_at, channel.failures = now, None, 0
            channel.last_error = ""
            channel.save()
            return True
    _postpone(channel_id, reason)
    return False


def _news(channel: AlertChannel) -> tuple[list[Incident], list[Incident]]:
    """Incidents that opened, and reported ones that are over."""
    notices = AlertNotice.objects.filter(channel=channel, incident=OuterRef("id"))
    found = Incident.objects.select_related("company").order_by("opened_at", "id")
    new = found.filter(closed_at=None).exclude(Exists(notices))
    opened = list(new) if new.filter(opened_at__lte=clock.now() - TOGETHER).exists() else []
    over = found.exclude(closed_at=None).filter(Exists(notices.filter(closed_told_at=None)))
    return opened, list(over)


def _postpone(channel_id: int, reason: str) -> None:
    channel = AlertChannel.objects.filter(id=channel_id).first()
    if channel is None:
        return  # removed meanwhile
    channel.failures += 1
    wait = min(FIRST_WAIT * 2 ** min(channel.failures, 10), LONGEST_WAIT)
    channel.again_at, channel.last_error = clock.now() + wait, reason
    channel.save(update_fields=["failures", "again_at", "last_error"])
    log.warning("alert.failed", channel=channel.name, reason=reason)


def is_quiet(channel: AlertChannel, now: datetime) -> bool:
    begin, end = channel.quiet_from, channel.quiet_to
    if begin is None or end is None or begin == end:
        return False
    here: time = now.astimezone(ZoneInfo(channel.time_zone)).time()
    return begin <= here < end if begin < end else here >= begin or here < end


def subject(opened: list[Incident], closed: list[Incident]) -> str:
    parts = [f"{len(opened)} opened"] if opened else []
    parts += [f"{len(closed)} closed"] if closed else []
    return f"Tieback incidents: {', '.join(parts)}"


def message(opened: list[Incident], closed: list[Incident]) -> str:
    lines = [_opened(each) for each in opened] + [_closed(each) for each in closed]
    shown = lines[:LINES]
    if len(lines) > LINES:
        shown.append(f"And {len(lines) - LINES} more: {settings.BASE_URL}/dashboard/incidents/")
    return "\n\n".join([subject(opened, closed), *shown])


def _opened(incident: Incident) -> str:
    where = f" of {incident.projects} projects" if incident.projects > 1 else ""
    return (
        f"{incident.company.name}: {label(incident.resource)}{where}. {incident.message} "
        f"{next_step(incident.code)} {settings.BASE_URL}/dashboard/incidents/{incident.id}/"
    )


def _closed(incident: Incident) -> str:
    minutes = round(((incident.closed_at or clock.now()) - incident.opened_at).total_seconds() / 60)
    lasted = f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{incident.company.name}: {label(incident.resource)} recovered after {lasted}."


def send(channel: AlertChannel, title: str, text: str) -> None:
    """Raises NotifyFailed."""
    address = unseal(channel.address).decode()
    if channel.kind == ChannelKind.WEBHOOK:
        post(address, text, local=settings.ON_LOCALHOST)
        return
    if not settings.MAIL:
        raise NotifyFailed("This installation sends no mail: EMAIL_URL is not set.")
    try:
        deliver(EmailMessage(title, text, to=[address]))
    except MailFailed:
        raise NotifyFailed("The mail server did not take the message.") from None
