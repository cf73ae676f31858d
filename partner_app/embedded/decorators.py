"""Decorators for access: the view may be framed; the viewer has signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from partner_app.core.limits import check_company
from partner_app.embedded.errors import CompanyNotReady
from partner_app.embedded.session import Viewer, prolong, session_of
from partner_app.tenancy.models import Company

P = ParamSpec("P")


class ViewerRequest(HttpRequest):
    """A request whose bearer was checked."""

    viewer: Viewer
    company: Company


def framed(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """In the frame there are no cookies, hence no CSRF.

    core.security_headers decides who may frame.
    """
    return csrf_exempt(view)


def viewer_required(
    view: Callable[Concatenate[ViewerRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Raises SignInNeeded, CompanyNotReady before the view runs."""

    @wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        known: Any = request
        session = session_of(request.headers.get("Authorization", ""))
        company = Company.objects.filter(id=session.company_id).first()
        if company is None or not company.usable:
            raise CompanyNotReady
        prolong(session)
        known.viewer = Viewer(session.company_id, session.remote_user_id)
        known.company = company
        structlog.contextvars.bind_contextvars(company_id=company.id, viewer=session.remote_user_id)
        check_company(request, company.id)
        return view(known, *args, **kwargs)

    return inner  # type: ignore[return-value]  # `wraps` forgets that it takes any request


def workspace(
    method: Literal["GET", "POST"],
) -> Callable[
    [Callable[Concatenate[ViewerRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """A page of the workspace, in the frame: one HTTP method, a signed-in viewer."""

    def decorate(
        view: Callable[Concatenate[ViewerRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        return framed(require_http_methods([method])(viewer_required(view)))

    return decorate
