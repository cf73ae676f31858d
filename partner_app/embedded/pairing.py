"""The second way to sign a frame in: a code shown in the frame, typed into the pop-up."""

import secrets
from datetime import timedelta

from django.db import transaction

from partner_app.core import clock
from partner_app.core.secrets import fingerprint
from partner_app.embedded.errors import PairingRefused
from partner_app.embedded.models import Pairing, SignInCode
from partner_app.embedded.session import Opened, Viewer, begin, opening

LIFETIME = timedelta(minutes=10)  # as long as a sign-in may take
TRIES = 5
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without letters that look alike
LENGTH = 8  # of 32 letters: 2^40 codes, five tries


def start_pairing(*, nonce: str) -> str:
    """The code that the frame shows. A new one makes the former one void."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    Pairing.objects.update_or_create(
        nonce_hash=fingerprint(nonce),
        defaults={
            "code_hash": fingerprint(code),
            "tries_left": TRIES,
            "company_id": None,
            "remote_user_id": None,
            "expires_at": clock.now() + LIFETIME,
        },
    )
    return f"{code[:4]}-{code[4:]}"


def confirm_pairing(*, sign_in_code: str, typed: str) -> None:
    """In the pop-up, after the sign-in that `sign_in_code` proves. Raises PairingRefused."""
    plain = typed.upper().replace("-", "").replace(" ", "")
    now = clock.now()
    with transaction.atomic():
        proof = (
            SignInCode.objects.select_for_update()
            .filter(code_hash=fingerprint(sign_in_code), consumed_at=None)
            .first()
        )
        pairing = proof and (
            Pairing.objects.select_for_update()
            .filter(nonce_hash=bytes(proof.nonce_hash), expires_at__gt=now, tries_left__gt=0)
            .first()
        )
        right = False
        if proof and pairing:
            pairing.tries_left -= 1
            right = bytes(pairing.code_hash) == fingerprint(plain)
            if right:
                pairing.company_id = proof.company_id
                pairing.remote_user_id = proof.remote_user_id
                proof.consumed_at = now
                proof.save(update_fields=["consumed_at"])
            pairing.save()
    if not right:
        raise PairingRefused


def collect(*, nonce: str) -> Opened | None:
    """Polled by the frame: None until the code is confirmed; then the session, once.

    Raises CompanyNotReady.
    """
    confirmed = Pairing.objects.filter(
        nonce_hash=fingerprint(nonce), expires_at__gt=clock.now(), company_id__isnull=False
    )
    known = confirmed.first()
    if known is None or known.company_id is None:
        return None
    with opening(known.company_id):
        pairing = confirmed.select_for_update().first()
        if pairing is None or pairing.company_id is None or pairing.remote_user_id is None:
            return None
        pairing.delete()
        return begin(Viewer(pairing.company_id, pairing.remote_user_id))
