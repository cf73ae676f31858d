"""Sign-ins of partner admins, as Django tells of them, go to the audit log."""

from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.mfa.signals import authenticator_added
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from partner_app.accounts.devices import note_passed
from partner_app.audit.events import Event
from partner_app.audit.record import record


@receiver(user_logged_in)
def signed_in(user: AbstractBaseUser, **_: Any) -> None:
    record(Event.ADMIN_SIGNED_IN, actor=f"partner:{user.get_username()}", company_id=None)


@receiver(user_logged_out)
def signed_out(user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        record(Event.ADMIN_SIGNED_OUT, actor=f"partner:{user.get_username()}", company_id=None)


@receiver(user_login_failed)
def refused(credentials: dict[str, Any], **_: Any) -> None:
    """The name that was tried, never the password."""
    name = str(credentials.get("username", ""))[:100]
    record(Event.ADMIN_REFUSED, actor="anonymous", company_id=None, subject=name)


@receiver(authentication_step_completed)
def second_factor_given(
    request: HttpRequest, user: AbstractBaseUser, method: str, **_: Any
) -> None:
    if method == "mfa":
        note_passed(request, user)


@receiver(authenticator_added)
def second_factor_set_up(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    """Whoever sets their first one up has it at hand."""
    note_passed(request, user)
