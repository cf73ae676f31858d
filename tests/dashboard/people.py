"""Partner admins of each role, with a second factor, for tests."""

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.test import Client

from partner_app.accounts.devices import PASSED
from partner_app.accounts.models import PartnerAdmin, Role


def admin_of(role: Role) -> Client:
    user, new = get_user_model().objects.get_or_create(username=f"user-{role}")
    if new:
        PartnerAdmin.objects.create(user=user, role=role)
        TOTP.activate(user, generate_totp_secret())
    browser = Client()
    browser.force_login(user)
    pass_second_factor(browser)
    return browser


def pass_second_factor(browser: Client) -> None:
    """Marks this browser's session as if its code had been entered."""
    session = browser.session
    session[PASSED] = int(session["_auth_user_id"])
    session.save()
