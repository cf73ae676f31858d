"""Where Procore tells us that something changed: check, store, answer."""

import uuid

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.http import require_POST

from integrations.procore.webhooks.deliveries import Delivery, deliver, refusal
from partner_app.core.bodies import check_body
from partner_app.core.errors import TiebackError
from partner_app.core.limits import check_stranger
from partner_app.core.logging import log

UNREAD = 400  # whoever sent it went away in the middle


@require_POST
def receive(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Key and secret come first, then the length, then the body. 404 and 401 leave nothing behind.

    A body without a length is refused: it would be taken for an empty one and be lost.
    """
    authorization = request.headers.get("Authorization", "")
    try:
        status = refusal(key, authorization)
        if status:
            check_stranger(request)  # who asks too often gets no line in the log either
            log.info("webhook.refused", status=status, hook=str(key))
        else:
            check_body(request)
            status = deliver(Delivery(key, authorization, request.body))
    except TiebackError as error:
        status = error.status
    except UnreadablePostError:
        status = UNREAD
    return HttpResponse(status=status)
