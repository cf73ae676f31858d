"""Structured logs, one JSON line per event, without secrets."""

import logging
import logging.config
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

from partner_app.core.client_ip import client_address, set_address

SECRET_NAMES = re.compile(
    r"token|secret|password|authorization|cookie|code_verifier|api_key", re.IGNORECASE
)
NAMES = r"(?:access_token|refresh_token|client_secret|password|code_verifier|code|state|ticket)"
SECRET_VALUES = re.compile(
    r"(Bearer\s+)[^\s\"',]+"
    rf"|(\b{NAMES}=)[^&\s\"']+"  # in an address or a form
    rf"|([\"']{NAMES}[\"']\s*:\s*[\"'])[^\"']+"  # in JSON, or a dictionary written out
    r"|(://[^:/@\s]+:)[^@/\s]+(?=@)"
    r"|(/accounts/set-up/)[^/\s\"']+"
)
REDACTED = "[redacted]"


def redact(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Masks values by the name of their key, and tokens inside any text."""
    for key, value in event.items():
        if key == "event":
            event[key] = clean(value)
        elif SECRET_NAMES.search(key):
            event[key] = REDACTED
        else:
            event[key] = clean(value)
    return event


def clean(value: Any) -> Any:
    if isinstance(value, str):
        return SECRET_VALUES.sub(lambda m: next(filter(None, m.groups()), "") + REDACTED, value)
    return value


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    redact,
]


def configure(_settings: dict[str, Any]) -> None:
    """Django calls this in place of dictConfig. Everything goes to standard error."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()  # noqa: TID251  # the one place that sets the root up
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # At debug level, the OAuth libraries log whole token requests.
    for secretive in ("oauthlib", "requests_oauthlib"):
        logging.getLogger(secretive).setLevel(logging.WARNING)  # noqa: TID251  # as above
    for noisy in ("urllib3", "celery.worker.strategy", "celery.app.trace", "django.request"):
        logging.getLogger(noisy).setLevel(logging.ERROR)  # noqa: TID251  # as above


log = structlog.stdlib.get_logger("tieback")


class RequestLog:
    """Binds a request id during a request, and logs how it ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=uuid.uuid4().hex[:12])
        set_address(client_address(request))
        response = self.get_response(request)
        if response.status_code >= 500:
            log.error("request.failed", path=request.path, status=response.status_code)
        structlog.contextvars.clear_contextvars()
        return response
