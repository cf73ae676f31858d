"""Creates partner admins without choosing a password for anyone."""

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model
from django.db import transaction

from partner_app.accounts.errors import LinkVoid
from partner_app.accounts.models import PartnerAdmin, Role, SetUpLink
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.core.secrets import fingerprint, random_secret

LIFETIME = timedelta(days=1)


@transaction.atomic
def invite_admin(
    *, username: str, role: Role, reset_second_factor: bool = False
) -> tuple[str, datetime]:
    """The secret of a link that sets the account up, and its expiry. Earlier links become void.

    The account keeps its second factor, which is requested after the link, unless it is reset for a
    person who has lost it.
    """
    user, _ = get_user_model().objects.get_or_create(username=username)
    user.set_unusable_password()
    user.save()
    admin, _ = PartnerAdmin.objects.update_or_create(user=user, defaults={"role": role})
    admin.set_up_links.all().delete()
    secret, until = random_secret(), clock.now() + LIFETIME
    SetUpLink.objects.create(secret_hash=fingerprint(secret), admin=admin, expires_at=until)
    factors = "kept"
    if reset_second_factor:
        Authenticator.objects.filter(user=user).delete()
        factors = "reset"
    record(
        Event.ADMIN_INVITED,
        actor="operator",
        company_id=None,
        subject=username,
        role=role,
        second_factor=factors,
    )
    return secret, until


def is_set_up(username: str) -> bool:
    """Whether a password was chosen for this account."""
    user = get_user_model().objects.filter(username=username).first()
    return bool(user and user.has_usable_password())


def living_link(secret: str) -> SetUpLink:
    """Raises LinkVoid."""
    found = (
        SetUpLink.objects.select_related("admin__user")
        .filter(secret_hash=fingerprint(secret), used_at=None, expires_at__gt=clock.now())
        .first()
    )
    if found is None:
        raise LinkVoid
    return found


@transaction.atomic
def use_link(secret: str, *, password: str) -> PartnerAdmin:
    """Works once. Raises LinkVoid."""
    used = SetUpLink.objects.filter(
        secret_hash=fingerprint(secret), used_at=None, expires_at__gt=clock.now()
    ).update(used_at=clock.now())
    if not used:
        raise LinkVoid
    admin = (
        SetUpLink.objects.select_related("admin__user").get(secret_hash=fingerprint(secret)).admin
    )
    admin.user.set_password(password)
    admin.user.save()
    record(Event.ADMIN_SET_UP, actor=admin.actor, company_id=None)
    return admin
