"""Turns a domain error that reached the top into a page, a partial or JSON that says what to do."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.logging import log


class DomainErrors:
    """Middleware: TiebackError becomes its own page, with its status and never a traceback."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TiebackError):
            return None
        note = log.error if error.blame is Blame.US else log.info
        note("request.refused", code=error.code, path=request.path)
        return error_page(request, error)


def error_page(request: HttpRequest, error: TiebackError) -> HttpResponse:
    """The whole page, or only its card where the request came from within a page."""
    partial = request.headers.get("HX-Request") == "true"
    template = "components/error_card.html" if partial else "error.html"
    return render(request, template, {"error": error}, status=error.status)
