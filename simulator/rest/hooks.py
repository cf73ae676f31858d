"""Webhooks v2.0 operations: hooks, triggers, deliveries and the names that may be asked for."""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import stamp
from simulator.rest.wire import Caller, Refusal, answer, body_of, page_of
from simulator.webhooks import RESOURCES, Hook
from simulator.world import Record

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
    namespace = str(body.get("namespace", ""))
    if body.get("payload_version") != "v4.0":
        raise refuse(422, "VALIDATION", "payload_version must be v4.0")
    if not re.fullmatch(r"[a-z0-9-]+", namespace):
        raise refuse(422, "VALIDATION", "namespace takes a-z, 0-9 and dashes")
    url = str(body.get("destination_url", ""))
    if not re.match(r"https?://", url):
        raise refuse(422, "VALIDATION", "destination_url must be an address")
    hook = Hook(
        caller.simulator.world.new_id(),
        company,
        None,
        namespace,
        "v4.0",
        url,
        (body.get("destination_headers") or {}).get("Authorization"),
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
        if "destination_url" in body:
            found.destination_url = str(body["destination_url"])
        headers = body.get("destination_headers")
        if isinstance(headers, dict):
            found.authorization = headers.get("Authorization")
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
    if not isinstance(wanted, list):
        raise refuse(400, "MALFORMED", "A JSON array is expected")
    added = []
    for item in wanted:
        pair = (str(item.get("resource_name")), str(item.get("event_type")))
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


def _company(request: Request, caller: Caller) -> int:
    caller.require_admin()
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
        "status": "active",
        "payload_version": hook.payload_version,
        "namespace": hook.namespace,
        "destination_url": hook.destination_url,
        "destination_headers": {"Authorization": "***"},
        "trigger_count": len(hook.triggers),
        "company_id": str(hook.company_id),
        "project_id": None,
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
        "project_id": None,
    }
