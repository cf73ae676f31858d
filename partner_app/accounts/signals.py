"""Records sign-ins of partner admins, and changes of their credentials, in the audit log."""

from typing import Any

from allauth.account.signals import authentication_step_completed, password_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from partner_app.accounts.devices import note_passed
from partner_app.accounts.lifetime import note_signed_in
from partner_app.audit.events import Event
from partner_app.audit.record import record


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    note_signed_in(request)
    record(Event.ADMIN_SIGNED_IN, actor=f"partner:{user.get_username()}", company_id=None)


@receiver(user_logged_out)
def signed_out(user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        record(Event.ADMIN_SIGNED_OUT, actor=f"partner:{user.get_username()}", company_id=None)


@receiver(user_login_failed)
def refused(credentials: dict[str, Any], **_: Any) -> None:
    """The attempted name, never the password."""
    name = str(credentials.get("username", ""))[:100]
    record(Event.ADMIN_REFUSED, actor="anonymous", company_id=None, subject=name)


@receiver(authentication_step_completed)
def second_factor_given(
    request: HttpRequest, user: AbstractBaseUser, method: str, **_: Any
) -> None:
    if method == "mfa":
        note_passed(request, user)


@receiver(authentication_failed)
def second_factor_refused(user: AbstractBaseUser, authenticator: Authenticator, **_: Any) -> None:
    """The password before it was right."""
    _changed(Event.ADMIN_FACTOR_REFUSED, user, kind=authenticator.type)


@receiver((authenticator_added, authenticator_removed, authenticator_reset))
def second_factor_changed(
    signal: Any, user: AbstractBaseUser, authenticator: Authenticator, **_: Any
) -> None:
    words = {authenticator_added: "added", authenticator_removed: "removed"}
    what = words.get(signal, "made again")
    _changed(Event.ADMIN_FACTOR_CHANGED, user, kind=authenticator.type, change=what)


@receiver(password_changed)
def password_was_changed(user: AbstractBaseUser, **_: Any) -> None:
    _changed(Event.ADMIN_PASSWORD_CHANGED, user)


def _changed(event: Event, user: AbstractBaseUser, **facts: str) -> None:
    record(event, actor=f"partner:{user.get_username()}", company_id=None, **facts)


@receiver(authenticator_added)
def second_factor_set_up(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    """A person who has just set up their first one has passed it."""
    note_passed(request, user)
