"""Webhooks v2.0 operations: hooks, triggers, deliveries and the names that hooks may use."""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import stamp
from simulator.rest.wire import Caller, Refusal, answer, body_of, page_of
from simulator.webhooks import RESOURCES, Hook
from simulator.world import Record

VERSION = "v4.0"
REQUIRED = ("destination_url", "payload_version", "namespace")
STATUSES = ["active", "disabled"]
EVENTS = ("create", "update", "delete")


def refuse(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, {"error": {"code": code, "message": message, "details": []}})


async def resources(request: Request, caller: Caller) -> Response:
    rows: list[Record] = [{"name": name, "actions": list(EVENTS)} for name in RESOURCES]
    return answer({"data": rows})


async def hooks(request: Request, caller: Caller) -> Response:
    company = _company(request, caller)
    hooks = caller.simulator.webhooks.hooks
    if request.method == "GET":
        namespace = request.query_params.get("namespace")
        rows = [
            _hook(hook)
            for hook in hooks.values()
            if hook.company_id == company and namespace in {None, hook.namespace}
        ]
        return page_of(request, rows, v2=True)
    body = await body_of(request)
    if missing := [name for name in REQUIRED if name not in body]:
        raise refuse(400, "MISSING", f"required: {', '.join(missing)}")
    _check(body)
    hook = Hook(
        caller.simulator.world.new_id(),
        company,
        None,
        body["namespace"],
        body["payload_version"],
        body["destination_url"],
        body.get("destination_headers", {}).get("Authorization"),
        stamp(caller.simulator.clock.now()),
    )
    hooks[hook.id] = hook
    return answer({"data": _hook(hook)}, 201)


async def hook(request: Request, caller: Caller) -> Response:
    found = _found(request, caller, "id")
    if request.method == "DELETE":
        del caller.simulator.webhooks.hooks[found.id]
        return Response(status_code=204)
    if request.method == "PATCH":
        body = await body_of(request)
        _check(body)
        found.destination_url = body.get("destination_url", found.destination_url)
        found.status = body.get("status", found.status)
        if "destination_headers" in body:
            found.authorization = body["destination_headers"].get("Authorization")
    return answer({"data": _hook(found)})


async def triggers(request: Request, caller: Caller) -> Response:
    found = _found(request, caller, "hook_id")
    return page_of(request, [_trigger(found, key) for key in found.triggers], v2=True)


async def triggers_bulk(request: Request, caller: Caller) -> Response:
    found = _found(request, caller, "hook_id")
    try:
        wanted: Any = json.loads(await request.body())
    except ValueError:
        raise refuse(400, "MALFORMED", "A JSON array is expected") from None
    if not isinstance(wanted, list) or not all(isinstance(item, dict) for item in wanted):
        raise refuse(400, "MALFORMED", "A JSON array of objects is expected")
    added = []
    for item in wanted:
        pair = (item.get("resource_name"), item.get("event_type"))
        if pair[0] not in RESOURCES or pair[1] not in EVENTS:
            raise refuse(422, "VALIDATION", f"{pair[0]} {pair[1]} cannot be subscribed to")
        if pair not in found.triggers.values():
            key = caller.simulator.world.new_id()
            found.triggers[key] = pair
            added.append(_trigger(found, key))
    return answer({"data": added}, 201)


async def deliveries(request: Request, caller: Caller) -> Response:
    found = _found(request, caller, "hook_id")
    status = request.query_params.get("filter[status]")
    rows = [
        {
            "id": delivery.id,
            "status": delivery.status,
            "payload": delivery.payload,
            "delivery_attempts": delivery.attempts,
        }
        for delivery in found.deliveries
        if status in {None, delivery.status}
    ]
    return page_of(request, rows, v2=True)


def _check(body: Record) -> None:
    """Every given field must be valid; a PATCH may give only some."""
    if body.get("payload_version", VERSION) != VERSION:
        raise refuse(422, "VALIDATION", f"payload_version must be {VERSION}")
    namespace, url = body.get("namespace", "a"), body.get("destination_url", "http://a")
    if not isinstance(namespace, str) or not re.fullmatch(r"[a-z0-9-]+", namespace):
        raise refuse(422, "VALIDATION", "namespace takes a-z, 0-9 and dashes")
    if not isinstance(url, str) or not re.match(r"https?://", url):
        raise refuse(422, "VALIDATION", "destination_url must be an address")
    if body.get("status", "active") not in STATUSES:
        raise refuse(422, "VALIDATION", f"status is one of {', '.join(STATUSES)}")
    headers = body.get("destination_headers", {})
    if not isinstance(headers, dict) or not isinstance(headers.get("Authorization", ""), str):
        raise refuse(422, "VALIDATION", "destination_headers takes Authorization, a text")


def _company(request: Request, caller: Caller) -> int:
    caller.require_admin("webhooks_api", "standard")
    company = caller.here().id
    if request.path_params["company_id"] != str(company):
        raise refuse(403, "FORBIDDEN", "The company does not match Procore-Company-Id")
    return company


def _found(request: Request, caller: Caller, key: str) -> Hook:
    company = _company(request, caller)
    found = caller.simulator.webhooks.hooks.get(int(request.path_params[key]))
    if found is None or found.company_id != company:
        raise refuse(404, "NOT_FOUND", "Not found")
    return found


def _hook(hook: Hook) -> Record:
    return {
        "id": str(hook.id),
        "status": hook.status,
        "payload_version": hook.payload_version,
        "namespace": hook.namespace,
        "destination_url": hook.destination_url,
        "destination_headers": {},
        "trigger_count": len(hook.triggers),
        "company_id": str(hook.company_id),
        "created_at": hook.created_at,
        "updated_at": hook.created_at,
    }


def _trigger(hook: Hook, key: int) -> Record:
    resource, event = hook.triggers[key]
    return {
        "id": str(key),
        "webhook_hook_id": str(hook.id),
        "resource_name": resource,
        "event_type": event,
        "company_id": str(hook.company_id),
    }
