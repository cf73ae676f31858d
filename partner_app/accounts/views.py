"""Setting up a partner admin's account from its one-time link."""

from typing import Any

from allauth.account.utils import perform_login
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from partner_app.accounts.admins import living_link, use_link


@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest, secret: str) -> HttpResponse:
    """Sets the user's own password, then a second factor: without it the dashboard stays closed.

    The link does not replace a second factor. A person who has lost theirs needs a link that resets
    it.
    """
    link = living_link(secret)
    user: Any = link.admin.user
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        admin = use_link(secret, password=form.cleaned_data["new_password1"])
        # The usual sign-in: an account that has a second factor must pass it here as well.
        answer: HttpResponse = perform_login(request, admin.user, redirect_url=reverse("dashboard"))
        return answer
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "username": user.get_username()}
    return render(request, "account/set_up.html", context, status=status)
