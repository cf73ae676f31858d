"""The dashboard's door: a partner admin, with a second factor."""

from collections.abc import Callable
from functools import wraps

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

View = Callable[[HttpRequest], HttpResponse]


def partner_admin_required(view: View) -> View:
    """Without a second factor, first to setting one up."""

    @login_required
    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        if not request.user.is_staff:
            return render(request, "public/no_access.html", status=403)
        if not is_mfa_enabled(request.user):
            return redirect("mfa_activate_totp")
        return view(request)

    return inner
