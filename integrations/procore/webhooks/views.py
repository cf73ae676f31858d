"""Where Procore tells us that something changed: check, store, answer."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from integrations.procore.sync.tasks import ring
from integrations.procore.webhooks.inbox import accept, company_of, read_payload
from partner_app.core.limits import TooOften, check_stranger
from partner_app.core.logging import log

LARGEST = 64 * 1024  # bytes; a payload has a few hundred


@require_POST
def receive(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """404 and 401 leave nothing behind. What is authorised is answered 2xx, or Procore would
    hold back every later event of this hook for the sake of one that nobody can read.
    """
    company_id, fits = company_of(key, request.headers.get("Authorization", ""))
    if company_id is None or not fits:
        return _refusal(request, 404 if company_id is None else 401)
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return HttpResponse(status=413)
    try:
        payload = read_payload(request.body)
    except ValueError:
        log.warning("webhook.unreadable", company_id=company_id)
        return HttpResponse(status=202)
    if accept(company_id, payload):
        ring(company_id)
    return HttpResponse(status=202)


def _refusal(request: HttpRequest, status: int) -> HttpResponse:
    try:
        check_stranger(request)
    except TooOften as error:
        status = error.status
    return HttpResponse(status=status)
