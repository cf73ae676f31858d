"""Sign-ins of partner admins, as Django tells of them, go to the audit log."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

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
