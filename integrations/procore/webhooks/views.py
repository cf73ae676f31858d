"""Where Procore tells us that something changed: check, store, answer."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from integrations.procore.webhooks.deliveries import UNAUTHORIZED, UNKNOWN, Delivery, deliver
from partner_app.core.limits import TooOften, check_stranger

LARGEST = 64 * 1024  # bytes; a payload has a few hundred


@require_POST
def receive(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """404 and 401 leave nothing behind."""
    fits = int(request.headers.get("Content-Length") or 0) <= LARGEST
    authorization = request.headers.get("Authorization", "")
    status = deliver(Delivery(key, authorization, request.body if fits else None))
    if status in {UNKNOWN, UNAUTHORIZED}:
        try:
            check_stranger(request)
        except TooOften as error:
            status = error.status
    return HttpResponse(status=status)
