"""The second factor of a session, and devices on which a person has passed it before."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse

from partner_app.core.secrets import random_secret

PASSED = "second_factor_of"  # in the session: the account whose second factor was passed
COOKIE = f"{settings.COOKIE_PREFIX}tieback_device"
SALT = "partner_app.accounts.devices"
REMEMBERED = 180 * 24 * 3600  # seconds


def note_passed(request: HttpRequest, user: AbstractBaseUser) -> None:
    request.session[PASSED] = user.pk


def has_passed(request: HttpRequest) -> bool:
    """Whether this session, not only the account, has passed a second factor."""
    return request.session.get(PASSED) == request.user.pk


def remember_device(request: HttpRequest, response: HttpResponse) -> None:
    """Proves nothing and grants nothing: wrong passwords from it are counted separately."""
    name = request.user.get_username().lower()
    if known_device(request, name):
        return
    response.set_signed_cookie(
        COOKIE,
        f"{name}|{random_secret()}",
        salt=SALT,
        max_age=REMEMBERED,
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )


def known_device(request: HttpRequest, name: str) -> str:
    """A name for the device, or empty where this person has not passed the second factor on it."""
    try:
        value: Any = request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=REMEMBERED)
    except BadSignature:
        return ""
    whose, _, device = str(value or "").rpartition("|")
    return device if device and whose == name else ""
