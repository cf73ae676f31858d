"""Alert channels: who is alerted to incidents, and their quiet hours."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from integrations.notify.webhook import NotifyFailed
from partner_app.accounts.decorators import AdminRequest, role_required
from partner_app.accounts.models import Role
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core.sealing import seal
from partner_app.dashboard.alerts import send
from partner_app.dashboard.errors import ChannelUnknown
from partner_app.dashboard.forms import ChannelForm
from partner_app.dashboard.models import AlertChannel


@require_http_methods(["GET", "POST"])
@role_required(Role.OPERATOR)
def channels(request: AdminRequest) -> HttpResponse:
    form = ChannelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        AlertChannel.objects.create(
            name=given["name"],
            kind=given["kind"],
            address=seal(given["address"].encode()),
            quiet_from=given["quiet_from"],
            quiet_to=given["quiet_to"],
            time_zone=given["time_zone"],
        )
        _record(request, "added", given["name"])
        messages.success(request, "Added. Send a test to check that messages arrive.")
        return redirect("alerts")
    status = 422 if request.method == "POST" else 200
    context = {"channels": AlertChannel.objects.order_by("name", "id"), "form": form}
    return render(request, "dashboard/alerts.html", context, status=status)


@require_POST
@role_required(Role.OPERATOR)
def remove(request: AdminRequest, channel_id: int) -> HttpResponse:
    channel = _channel(channel_id)
    _record(request, "removed", channel.name)
    channel.delete()
    messages.success(request, f"{channel.name} has been removed and its address deleted.")
    return redirect("alerts")


@require_POST
@role_required(Role.OPERATOR)
def attempt(request: AdminRequest, channel_id: int) -> HttpResponse:
    channel = _channel(channel_id)
    text = f"Tieback: test message, sent by {request.admin.user.get_username()}. Nothing is wrong."
    try:
        send(channel, "Tieback: test message", text)
    except NotifyFailed as error:
        messages.error(request, f"The message was not delivered. {error}")
    else:
        messages.success(request, "Sent.")
    return redirect("alerts")


def _channel(channel_id: int) -> AlertChannel:
    """Raises ChannelUnknown."""
    found = AlertChannel.objects.filter(id=channel_id).first()
    if found is None:
        raise ChannelUnknown
    return found


def _record(request: AdminRequest, what: str, name: str) -> None:
    actor = request.admin.actor
    record(Event.ALERTS_CHANGED, actor=actor, company_id=None, subject=name, change=what)
