"""A partner admin's second factor at rest: its secrets are sealed like tokens.

allauth keeps them in one JSON column and asks its adapter to encrypt them. Secrets stored before
that are read unsealed, and the key rotation seals them.
"""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction

from partner_app.core.sealing import reseal, seal, sealed_under_first, unseal

MARK = "sealed:"
SECRETS = ("secret", "seed")  # of an authenticator app, and of recovery codes


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    def encrypt(self, text: str) -> str:
        return MARK + seal(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        if not encrypted_text.startswith(MARK):
            return encrypted_text
        return unseal(encrypted_text.removeprefix(MARK).encode()).decode()


def rotate_factors() -> int:
    """Seals all secrets under the first key; returns the number of changed rows."""
    done = 0
    for key in list(Authenticator.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=key).first()
            if row is None or _current(row):
                continue
            row.data |= {name: _renewed(row.data[name]) for name in SECRETS if name in row.data}
            row.save(update_fields=["data"])
            done += 1
    return done


def factors_remaining() -> int:
    """Rows that are not sealed, or that need a key other than the first."""
    return sum(not _current(row) for row in Authenticator.objects.all())


def _current(row: Authenticator) -> bool:
    found = [row.data[name] for name in SECRETS if name in row.data]
    return all(
        text.startswith(MARK) and sealed_under_first(text.removeprefix(MARK).encode())
        for text in found
    )


def _renewed(text: str) -> str:
    if not text.startswith(MARK):
        return MARK + seal(text.encode()).decode()
    return MARK + reseal(text.removeprefix(MARK).encode()).decode()
