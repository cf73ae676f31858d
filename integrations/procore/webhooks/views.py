"""Where Procore tells us that something changed: check, store, answer."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.procore.sync.tasks import ring
from integrations.procore.webhooks.inbox import accept, hook_for, read_payload
from integrations.procore.webhooks.models import WebhookHook
from partner_app.core.limits import check_hook, check_stranger
from partner_app.core.logging import log

LARGEST = 64 * 1024  # bytes; a payload has a few hundred


@csrf_exempt  # Procore has no cookie of ours; the hook's own secret is checked
@require_POST
def receive(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """404 and 401 leave nothing behind. What is authorised is answered 2xx, or Procore would
    hold back every later event of this hook for the sake of one that nobody can read.
    """
    check_hook(request, str(key))
    hook = hook_for(key, request.headers.get("Authorization", ""))
    if not isinstance(hook, WebhookHook):
        check_stranger(request)
        return HttpResponse(status=404 if hook is None else 401)
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return HttpResponse(status=413)
    try:
        payload = read_payload(request.body)
    except ValueError:
        log.warning("webhook.unreadable", company_id=hook.company_id)
        return HttpResponse(status=202)
    if accept(hook.company_id, payload):
        ring(hook.company_id)
    return HttpResponse(status=202)
