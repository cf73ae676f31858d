"""How much a request may send, checked before any of it is read.

A thread that waits for a body is lost to others, and what was read occupies memory or the temporary
folder. So the length must be declared, and most addresses accept little.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.http import refuse
from partner_app.core.i18n import gettext_noop

ORDINARY = 64 * 1024  # bytes; a form or a webhook delivery has some hundreds
AROUND = 64 * 1024  # bytes of a form around its file
View = TypeVar("View", bound=Callable[..., Any])


class LengthNeeded(TiebackError):
    code = "body.length_needed"
    user_message = gettext_noop("This request does not state its length.")
    remedy = gettext_noop("Send it again with a Content-Length header, not in chunks.")
    blame = Blame.TENANT
    status = 411


class BodyTooLarge(TiebackError):
    code = "body.too_large"
    user_message = gettext_noop("This request is too large.")
    remedy = gettext_noop("Make it smaller and try again.")
    blame = Blame.TENANT
    status = 413


def takes_file(largest: int) -> Callable[[View], View]:
    """For the few views that accept a file, of at most `largest` bytes."""

    def declare(view: View) -> View:
        view.largest_body = largest + AROUND  # type: ignore[attr-defined]  # views are functions
        return view

    return declare


def largest_for(view: Callable[..., Any]) -> int:
    """Bytes that a request to this view may have as its body."""
    return int(getattr(view, "largest_body", ORDINARY))


def check_body(request: HttpRequest, largest: int = ORDINARY) -> None:
    """Checks without reading. Raises LengthNeeded, BodyTooLarge."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthNeeded
    declared = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (declared.isascii() and declared.isdecimal()):
        raise LengthNeeded
    if len(declared) > len(str(largest)) or int(declared) > largest:
        raise BodyTooLarge


class BodyLimit:
    """Middleware, before any that may read a form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponse | None:
        try:
            check_body(request, largest_for(view))
        except TiebackError as error:
            return refuse(request, error)
        return None


class BoundedUpload(FileUploadHandler):
    """The first upload handler: stops reading where the files together are too large.

    The declared length limits them too; this holds even where that was false.
    """

    received = 0

    def receive_data_chunk(self, raw_data: bytes, _start: int) -> bytes:
        self.received += len(raw_data)
        match = self.request.resolver_match if self.request else None
        if self.received > (largest_for(match.func) if match else ORDINARY):
            raise BodyTooLarge
        return raw_data

    def file_complete(self, _file_size: int) -> None:
        return None
