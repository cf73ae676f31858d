"""Turns an uncaught domain error into a page, a partial or JSON that says what to do."""

import errno
import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.i18n import gettext_noop
from partner_app.core.logging import log

DISK_FULL = "53100"  # Postgres's code


class DomainErrors:
    """Middleware: TiebackError becomes its own page, with its status and never a traceback."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        known = place_fault(error) or error
        return refuse(request, known) if isinstance(known, TiebackError) else None


class PageUnknown(TiebackError):
    code = "page.unknown"
    user_message = gettext_noop("This page does not exist.")
    remedy = gettext_noop("Check the address, or start again from the beginning.")
    blame = Blame.TENANT
    status = 404


class RequestRefused(TiebackError):
    code = "page.request_refused"
    user_message = gettext_noop("We couldn’t process this request. It may be too large.")
    remedy = gettext_noop("Go back, make it smaller and try again.")
    blame = Blame.TENANT
    status = 400


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, RequestRefused())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, PageUnknown())


def server_error(request: HttpRequest) -> HttpResponse:
    """An unexpected error: it has been logged, and its details are not shown.

    A fault of the host may also occur before a view is reached, in a middleware.
    """
    return error_page(request, place_fault(sys.exc_info()[1]) or Unforeseen())


class Unforeseen(TiebackError):
    code = "tieback.unforeseen"
    user_message = gettext_noop("Something went wrong on our side.")
    remedy = gettext_noop("It has been recorded. Try again in a minute.")
    transient = True


class DatabaseAway(TiebackError):
    code = "place.database_away"
    user_message = gettext_noop("Our database does not answer at the moment.")
    remedy = gettext_noop("Nothing that you had saved is lost. Try again in a minute.")
    transient = True
    status = 503


class NoSpace(TiebackError):
    code = "place.no_space"
    user_message = gettext_noop("There is no space left to store this at the moment.")
    remedy = gettext_noop("We have been notified. Nothing that you had saved is lost; try later.")
    transient = True
    status = 507


def place_fault(error: BaseException | None) -> TiebackError | None:
    """What the host lacks, in words for people; None for any other error."""
    told = getattr(error, "__cause__", None)
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    if full or getattr(told, "sqlstate", "") == DISK_FULL:
        return NoSpace()
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseAway()
    return None


def refuse(request: HttpRequest, error: TiebackError) -> HttpResponse:
    """The page, and a line in the log about who was refused what."""
    note = log.error if error.blame is Blame.US else log.info
    note("request.refused", code=error.code, path=request.path)
    return error_page(request, error)


def error_page(request: HttpRequest, error: TiebackError) -> HttpResponse:
    """The whole page, or only its card where the request came from within a page."""
    partial = request.headers.get("HX-Request") == "true"
    template = "components/error_card.html" if partial else "error.html"
    return render(request, template, {"error": error}, status=error.status)
