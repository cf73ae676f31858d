"""Brings the hook registered at Procore in line with the one we want.

Creates missing hooks, removes stale and duplicate ones of ours, leaves foreign ones alone, renews
secrets and completes triggers. Then reads the delivery log for events that never arrived.
"""

from collections.abc import Callable
from datetime import timedelta

import msgspec
from django.conf import settings

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.envelopes import NotTheShape, record_of, rows_of
from integrations.procore.api.errors import (
    Forbidden,
    NotFoundOrHidden,
    ProcoreError,
    Unreadable,
)
from integrations.procore.api.values import record_id
from integrations.procore.sync.models import DueWork
from integrations.procore.sync.schedule import make_due
from integrations.procore.webhooks.inbox import RESOURCES_OF, Told, accept, read_payload
from integrations.procore.webhooks.models import HookState, WebhookHook
from partner_app.connections.access import app_client
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.purposes import CallPurpose
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.core.secrets import fingerprint, random_secret
from partner_app.tenancy.features import Feature
from partner_app.tenancy.models import CONNECTED, Company

NAMESPACE = "tieback"  # one for the app everywhere
VERSION = "v4.0"
EVENTS = ("create", "update", "delete")
ROTATE_EVERY = timedelta(days=30)
CHECK_EVERY = timedelta(hours=1)
BATCH = 20  # companies per pass
UNDELIVERED = ("discarded", "failed")
OVERLAP = timedelta(days=1)  # the log is filtered by day


def companies_to_check() -> list[int]:
    """Connected companies whose hook was not checked lately and is not switched off."""
    checked = WebhookHook.objects.filter(checked_at__gt=clock.now() - CHECK_EVERY)
    companies = Company.objects.filter(state__in=CONNECTED, paused_at=None)
    companies = companies.exclude(switched_off__contains=[Feature.WEBHOOKS])
    companies = companies.exclude(id__in=checked.values("company_id"))
    return list(companies.order_by("id").values_list("id", flat=True)[:BATCH])


def reconcile(*, company_id: int) -> HookState:
    """May be repeated, also after an interruption. Raises ProcoreError, ReconnectNeeded."""
    hook, _ = WebhookHook.objects.get_or_create(
        company_id=company_id, defaults={"secret_hash": fingerprint(random_secret())}
    )
    client = app_client(company_id, CallPurpose.HOOKS)
    before = (hook.state, hook.remote_id)
    try:
        _repair(client, hook)
    except (Forbidden, NotFoundOrHidden):
        hook.state = HookState.REFUSED
    else:
        hook.state = HookState.ACTIVE
        _read_undelivered(client, hook)
        if before != (HookState.ACTIVE, hook.remote_id):
            make_due(company_id=company_id)  # changes before this hook existed sent no event
    hook.checked_at = clock.now()
    hook.save(update_fields=["state", "checked_at"])
    DueWork.objects.filter(company_id=company_id).update(hooked=hook.state == HookState.ACTIVE)
    return HookState(hook.state)


def remove(*, company_id: int) -> None:
    """Where hooks are switched off: removes what we registered. Raises ProcoreError."""
    hook = WebhookHook.objects.filter(company_id=company_id).first()
    if hook and hook.remote_id:
        client = app_client(company_id, CallPurpose.HOOKS)
        client.write("DELETE", f"{_path(company_id)}/{hook.remote_id}", None)
    WebhookHook.objects.filter(company_id=company_id).delete()
    DueWork.objects.filter(company_id=company_id).update(hooked=False)


def _repair(client: ProcoreClient, hook: WebhookHook) -> None:
    path = _path(hook.company_id)
    ours = {
        key: row
        for row in client.rows(path, {})
        if row.get("namespace") == NAMESPACE and (key := record_id(row.get("id")))
    }
    fitting = [key for key, row in ours.items() if row.get("destination_url") == _address(hook)]
    fitting.sort(key=lambda key: key != hook.remote_id)
    for key in ours:
        if key not in fitting[:1]:
            client.write("DELETE", f"{path}/{key}", None)
            log.info("hook.removed", company_id=hook.company_id)
    if not fitting:
        _register(client, hook, path)
        return
    known = hook.remote_id == fitting[0]
    hook.remote_id = fitting[0]
    old = hook.rotated_at is None or clock.now() - hook.rotated_at > ROTATE_EVERY
    if old or not known or ours[fitting[0]].get("status") != "active":
        _rotate(client, hook, path)
    _complete_triggers(client, hook, path)


def _register(client: ProcoreClient, hook: WebhookHook, path: str) -> None:
    """The secret is stored before the call: the first event may arrive before the response."""
    body = {
        "payload_version": VERSION,
        "namespace": NAMESPACE,
        "destination_url": _address(hook),
        "destination_headers": {"Authorization": _new_secret(hook)},
    }
    hook.remote_id = _id_in(client.write("POST", path, body))
    hook.save(update_fields=["remote_id"])
    _complete_triggers(client, hook, path)
    log.info("hook.registered", company_id=hook.company_id)


def _id_in(answer: object) -> int:
    """Raises Unreadable: the next pass finds the hook in the list and continues with it."""
    try:
        key = record_id(record_of(answer).get("id"))
    except NotTheShape as error:
        raise Unreadable(error.shape) from None
    if key is None:
        raise Unreadable("a hook without an id")
    return key


def _rotate(client: ProcoreClient, hook: WebhookHook, path: str) -> None:
    headers = {"Authorization": _new_secret(hook)}
    body = {"destination_headers": headers, "status": "active"}
    client.write("PATCH", f"{path}/{hook.remote_id}", body)
    log.info("hook.rotated", company_id=hook.company_id)


def _new_secret(hook: WebhookHook) -> str:
    """Until the next renewal the former one is accepted too: its events may be under way."""
    secret = f"Bearer {random_secret()}"
    hook.former_hash, hook.secret_hash = hook.secret_hash, fingerprint(secret)
    hook.rotated_at = clock.now()
    hook.save(update_fields=["former_hash", "secret_hash", "rotated_at", "remote_id"])
    return secret


def _complete_triggers(client: ProcoreClient, hook: WebhookHook, path: str) -> None:
    triggers = f"{path}/{hook.remote_id}/triggers"
    have = {(row.get("resource_name"), row.get("event_type")) for row in client.rows(triggers, {})}
    wanted = {(name, event) for name in RESOURCES_OF for event in EVENTS}
    missing = sorted(wanted - have)
    if not missing:
        return
    offered = client.get(f"{path.removesuffix('/hooks')}/resources", payload_version=VERSION)
    actions = _actions_in(offered)
    bodies = [
        {"resource_name": name, "event_type": event}
        for name, event in missing
        if event in actions.get(name, ())
    ]
    if bodies:
        client.write("POST", f"{triggers}/bulk", bodies)


def _actions_in(offered: object) -> dict[object, list[object]]:
    """Events by resource, as Procore offers them. Raises Unreadable."""
    try:
        rows = rows_of(offered)
    except NotTheShape as error:
        raise Unreadable(error.shape) from None
    return {
        row.get("name"): actions
        for row in rows
        if isinstance(actions := row.get("actions"), list) and isinstance(row.get("name"), str)
    }


def _read_undelivered(client: ProcoreClient, hook: WebhookHook) -> None:
    """Procore discards events it could not deliver for twelve hours, and logs that."""
    if hook.checked_at is None:
        return  # just created: nothing was sent yet
    since = (hook.checked_at - OVERLAP).date().isoformat()
    for status in UNDELIVERED:
        query = {"filter[status]": status, "filter[start]": since}
        path = f"{_path(hook.company_id)}/{hook.remote_id}/deliveries"
        for row in client.rows(path, query):
            _accept_late(hook.company_id, row.get("payload"))


def _accept_late(company_id: int, payload: object) -> None:
    try:
        accept([Told(company_id, read_payload(msgspec.json.encode(payload)))])
    except ValueError:
        make_due(company_id=company_id)  # something changed; it is not known what


def check_soon(*, company_id: int, rotate: bool = False) -> None:
    """In the next pass, within seconds; `rotate`: with a new secret."""
    changes = {"checked_at": None, **({"rotated_at": None} if rotate else {})}
    WebhookHook.objects.filter(company_id=company_id).update(**changes)


def check_all() -> None:
    """Where hooks are switched off, existing ones are removed and polling takes over."""
    unwanted = WebhookHook.objects.order_by("company_id")
    if settings.WEBHOOKS_ENABLED:
        unwanted = unwanted.filter(company__switched_off__contains=[Feature.WEBHOOKS])
    for company_id in list(unwanted.values_list("company_id", flat=True)[:BATCH]):
        _quietly(company_id, remove)
    if not settings.WEBHOOKS_ENABLED:
        return
    for company_id in companies_to_check():
        _quietly(company_id, reconcile)


def _quietly(company_id: int, work: Callable[..., object]) -> None:
    try:
        work(company_id=company_id)
    except (ProcoreError, ReconnectNeeded) as error:
        log.info("hook.check_failed", company_id=company_id, code=error.code)


def _path(company_id: int) -> str:
    return f"/rest/v2.0/companies/{company_id}/webhooks/hooks"


def _address(hook: WebhookHook) -> str:
    return f"{settings.BASE_URL}/webhooks/procore/{hook.key}/"
