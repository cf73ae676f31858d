"""Secrets of second factors are sealed at rest and can still be opened."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from partner_app.connections.rotation import rotate_encryption_keys
from partner_app.core import sealing
from partner_app.core.factors import MARK


@pytest.fixture
def user(database: None) -> User:
    found: User = get_user_model().objects.create(username="with-a-factor")
    return found


def code_of(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return f"{hotp_value(secret, counter):06}"


def test_no_secret_of_a_second_factor_is_stored_as_it_is(user: User) -> None:
    secret = generate_totp_secret()
    totp = TOTP.activate(user, secret)
    codes = RecoveryCodes.activate(user)
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))
    assert all(
        row.data.get(name, MARK).startswith(MARK)
        for row in Authenticator.objects.all()
        for name in ("secret", "seed")
    )
    assert totp.validate_code(code_of(secret))
    assert codes.validate_code(codes.get_unused_codes()[0])


def test_what_was_stored_before_still_opens_and_is_sealed_with_the_next_rotation(
    user: User, settings: Any
) -> None:
    secret = generate_totp_secret()
    row = Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": secret}
    )
    assert TOTP(row).validate_code(code_of(secret))
    first = str(Fernet.generate_key().decode())
    settings.FIELD_ENCRYPTION_KEYS = [first, *settings.FIELD_ENCRYPTION_KEYS]
    sealing.box.cache_clear()
    try:
        assert rotate_encryption_keys()["remaining"] == 0
        row.refresh_from_db()
        sealed = row.data["secret"].removeprefix(MARK).encode()
        assert Fernet(first).decrypt(sealed).decode() == secret
    finally:
        sealing.box.cache_clear()
