"""Access to the dashboard: a partner admin with a second factor and the required role."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import structlog
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from partner_app.accounts.devices import has_passed, remember_device
from partner_app.accounts.errors import RoleMissing
from partner_app.accounts.models import PartnerAdmin, Role
from partner_app.core.replica import note_change

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class AdminRequest(HttpRequest):
    """A request whose partner admin is known."""

    admin: PartnerAdmin


def role_required(
    needed: Role,
) -> Callable[[Callable[Concatenate[AdminRequest, P], HttpResponse]], View[P]]:
    """Admits partner admins with this role.

    Without a second factor, the admin must set one up first; a session that has not passed the
    account's second factor returns to sign-in. Raises RoleMissing.
    """

    def decorate(view: Callable[Concatenate[AdminRequest, P], HttpResponse]) -> View[P]:
        @login_required
        @wraps(view)
        def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            admin = PartnerAdmin.objects.filter(user__username=request.user.get_username()).first()
            if admin is None:
                return render(request, "public/no_access.html", status=403)
            if not is_mfa_enabled(request.user):
                return redirect("mfa_activate_totp")
            if not has_passed(request):
                logout(request)
                return redirect_to_login(request.get_full_path())
            structlog.contextvars.bind_contextvars(partner_admin=admin.user.get_username())
            if not Role(admin.role).covers(needed):
                raise RoleMissing(role=needed.label)
            known: Any = request
            known.admin = admin
            response = view(known, *args, **kwargs)
            if request.method == "POST":
                note_change(request)
            remember_device(request, response)
            return response

        return inner  # type: ignore[return-value]  # login_required forgets the arguments

    return decorate
