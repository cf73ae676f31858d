"""Turns a domain error that reached the top into a page, a partial or JSON that says what to do."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.logging import log
from partner_app.core.words import gettext_noop


class DomainErrors:
    """Middleware: TiebackError becomes its own page, with its status and never a traceback."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TiebackError):
            return None
        return refuse(request, error)


class PageUnknown(TiebackError):
    code = "page.unknown"
    user_message = gettext_noop("There is no such page.")
    remedy = gettext_noop("Check the address, or start again from the beginning.")
    blame = Blame.TENANT
    status = 404


class RequestRefused(TiebackError):
    code = "page.request_refused"
    user_message = gettext_noop("This request cannot be read, or it is too large.")
    remedy = gettext_noop("Go back, make it smaller and try again.")
    blame = Blame.TENANT
    status = 400


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, RequestRefused())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, PageUnknown())


def server_error(request: HttpRequest) -> HttpResponse:
    """Something that nobody foresaw: it has been logged, and says nothing of itself here."""
    return error_page(request, Unforeseen())


class Unforeseen(TiebackError):
    code = "tieback.unforeseen"
    user_message = gettext_noop("Something went wrong on our side.")
    remedy = gettext_noop("It has been recorded. Try again in a minute.")
    transient = True


def refuse(request: HttpRequest, error: TiebackError) -> HttpResponse:
    """The page, and a line in the log of who was refused what."""
    note = log.error if error.blame is Blame.US else log.info
    note("request.refused", code=error.code, path=request.path)
    return error_page(request, error)


def error_page(request: HttpRequest, error: TiebackError) -> HttpResponse:
    """The whole page, or only its card where the request came from within a page."""
    partial = request.headers.get("HX-Request") == "true"
    template = "components/error_card.html" if partial else "error.html"
    return render(request, template, {"error": error}, status=error.status)
