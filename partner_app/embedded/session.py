"""Bearer sessions without cookies: short, sliding, ended by silence or by the day."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from partner_app.connections.vault import fingerprint, random_secret
from partner_app.core import clock
from partner_app.embedded.errors import CodeRefused, SignInNeeded
from partner_app.embedded.models import EmbeddedSession, HandoffCode

CODE_LIFETIME = timedelta(minutes=2)
SILENCE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)


@dataclass(frozen=True)
class Viewer:
    """Who looks: a person whom Procore confirmed as one of this company's."""

    company_id: int
    remote_user_id: int

    @property
    def actor(self) -> str:
        return f"procore:{self.remote_user_id}"


def issue_code(*, nonce_hash: bytes, viewer: Viewer) -> str:
    code = random_secret()
    HandoffCode.objects.create(
        code_hash=fingerprint(code),
        nonce_hash=nonce_hash,
        company_id=viewer.company_id,
        remote_user_id=viewer.remote_user_id,
        expires_at=clock.now() + CODE_LIFETIME,
    )
    return code


def open_session(*, code: str, nonce: str) -> str:
    """Exchanges the pop-up's code for a bearer. Raises CodeRefused."""
    now = clock.now()
    with transaction.atomic():
        row = HandoffCode.objects.select_for_update().filter(code_hash=fingerprint(code)).first()
        if row is None or row.consumed_at or row.expires_at < now:
            raise CodeRefused
        row.consumed_at = now
        row.save(update_fields=["consumed_at"])
        matches = bytes(row.nonce_hash) == fingerprint(nonce)
        token = random_secret()
        if matches:
            EmbeddedSession.objects.create(
                token_hash=fingerprint(token),
                company_id=row.company_id,
                remote_user_id=row.remote_user_id,
                created_at=now,
                expires_at=now + SILENCE,
            )
    if not matches:
        raise CodeRefused
    return token


def viewer_of(header: str) -> Viewer:
    """The viewer behind an Authorization header; the session slides. Raises SignInNeeded."""
    scheme, _, token = header.partition(" ")
    now = clock.now()
    found = None
    if scheme == "Bearer" and token:
        found = EmbeddedSession.objects.filter(
            token_hash=fingerprint(token), expires_at__gt=now, created_at__gt=now - LONGEST
        ).first()
    if found is None:
        raise SignInNeeded
    if found.expires_at - now < SILENCE / 2:
        EmbeddedSession.objects.filter(token_hash=bytes(found.token_hash)).update(
            expires_at=now + SILENCE
        )
    return Viewer(found.company_id, found.remote_user_id)


def end_sessions(*, company_id: int, remote_user_id: int) -> None:
    EmbeddedSession.objects.filter(company_id=company_id, remote_user_id=remote_user_id).delete()
