"""Makes a partner admin with a one-time password and a second factor already set up."""

import secrets
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser

from partner_app.core.command import JsonCommand


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default="partner")

    def work(self, **options: Any) -> Any:
        password, secret = secrets.token_urlsafe(12), generate_totp_secret()
        users = get_user_model().objects
        user, _ = users.get_or_create(username=options["username"])
        user.set_password(password)
        user.is_staff = True
        user.save()
        Authenticator.objects.filter(user=user).delete()
        TOTP.activate(user, secret)
        return {"username": user.username, "password": password, "totp_secret": secret}
