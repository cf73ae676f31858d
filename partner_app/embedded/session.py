"""Bearer sessions without cookies: short, renewed by use, ended by inactivity or after a day."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.core.secrets import fingerprint, random_secret
from partner_app.embedded.errors import (
    CodeRefused,
    CompanyNotReady,
    RenewalRefused,
    SignInNeeded,
)
from partner_app.embedded.models import EmbeddedSession, SignInCode, ViewerProfile
from partner_app.tenancy.access import end_access
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company

CODE_LIFETIME = timedelta(minutes=2)
SILENCE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)


@dataclass(frozen=True)
class Viewer:
    """A person whom Procore confirmed as a member of this company."""

    company_id: int
    remote_user_id: int

    @property
    def actor(self) -> str:
        return f"procore:{self.remote_user_id}"


@dataclass(frozen=True)
class Opened:
    """A session as the frame receives it, once: only hashes of its secrets are stored here."""

    viewer: Viewer
    token: str
    renewal: str


def issue_code(*, nonce_hash: bytes, viewer: Viewer) -> str:
    code = random_secret()
    SignInCode.objects.create(
        code_hash=fingerprint(code),
        nonce_hash=nonce_hash,
        company_id=viewer.company_id,
        remote_user_id=viewer.remote_user_id,
        expires_at=clock.now() + CODE_LIFETIME,
    )
    return code


def open_session(*, code: str, nonce: str) -> Opened:
    """Exchanges the pop-up's code for a bearer. Raises CodeRefused, CompanyNotReady."""
    now = clock.now()
    opened = None
    known = SignInCode.objects.filter(code_hash=fingerprint(code)).first()
    if known is None:
        raise CodeRefused
    with opening(known.company_id):
        row = SignInCode.objects.select_for_update().filter(code_hash=fingerprint(code)).first()
        if row is None or row.consumed_at or row.expires_at < now:
            raise CodeRefused
        row.consumed_at = now
        row.save(update_fields=["consumed_at"])
        if bytes(row.nonce_hash) == fingerprint(nonce):
            opened = begin(Viewer(row.company_id, row.remote_user_id))
    if opened is None:
        raise CodeRefused
    return opened


@contextmanager
def opening(company_id: int) -> Iterator[None]:
    """The transaction in which a session begins. Raises CompanyNotReady.

    The company's row is locked before any row that end_access() deletes. So an uninstall either
    comes first and refuses the session, or comes later and ends it, without a deadlock.
    """
    with transaction.atomic():
        locked = Company.objects.select_for_update(no_key=True).filter(id=company_id).first()
        if locked is None or not locked.usable:
            raise CompanyNotReady
        yield


def begin(
    viewer: Viewer, *, family: uuid.UUID | None = None, since: datetime | None = None
) -> Opened:
    """Inside opening(). `family` and `since` carry over from the session that this one renews."""
    now = clock.now()
    opened = Opened(viewer, random_secret(), random_secret())
    EmbeddedSession.objects.create(
        token_hash=fingerprint(opened.token),
        renewal_hash=fingerprint(opened.renewal),
        family=family or uuid.uuid4(),
        company_id=viewer.company_id,
        remote_user_id=viewer.remote_user_id,
        created_at=since or now,
        expires_at=now + SILENCE,
    )
    return opened


def renew(renewal: str) -> Opened:
    """After a reload: exchanges the stored secret for a new session, once.

    A second use means that two parties hold the secret: all sessions of that sign-in end. Raises
    RenewalRefused, CompanyNotReady.
    """
    opened = None
    now = clock.now()
    known = EmbeddedSession.objects.filter(renewal_hash=fingerprint(renewal)).first()
    if known is None:
        raise RenewalRefused
    with opening(known.company_id):
        former = (
            EmbeddedSession.objects.select_for_update()
            .filter(renewal_hash=fingerprint(renewal))
            .first()
        )
        if former and former.renewed_at:
            EmbeddedSession.objects.filter(family=former.family).delete()
        elif former and former.expires_at > now and former.created_at > now - LONGEST:
            viewer = Viewer(former.company_id, former.remote_user_id)
            opened = begin(viewer, family=former.family, since=former.created_at)
            former.renewed_at, former.expires_at = now, now
            former.save(update_fields=["renewed_at", "expires_at"])
    if opened is None:
        raise RenewalRefused
    return opened


def session_of(header: str) -> EmbeddedSession:
    """The valid session behind an Authorization header. Raises SignInNeeded."""
    scheme, _, token = header.partition(" ")
    now = clock.now()
    found = None
    if scheme == "Bearer" and token:
        found = EmbeddedSession.objects.filter(
            token_hash=fingerprint(token), expires_at__gt=now, created_at__gt=now - LONGEST
        ).first()
    if found is None:
        raise SignInNeeded
    return found


def prolong(session: EmbeddedSession) -> None:
    """While it is in use, and only after the company was found ready."""
    now = clock.now()
    if session.expires_at - now < SILENCE / 2:
        EmbeddedSession.objects.filter(token_hash=bytes(session.token_hash)).update(
            expires_at=now + SILENCE
        )


def close_session(header: str) -> None:
    """Signs out, renewals included. An unknown bearer counts as signed out."""
    token = header.partition(" ")[2]
    found = EmbeddedSession.objects.filter(token_hash=fingerprint(token)).first()
    if found:
        EmbeddedSession.objects.filter(family=found.family).delete()


def windows_of(viewer: Viewer) -> int:
    """The number of windows in which they are signed in now."""
    own = EmbeddedSession.objects.filter(
        company_id=viewer.company_id, remote_user_id=viewer.remote_user_id
    )
    now = clock.now()
    return own.filter(expires_at__gt=now, created_at__gt=now - LONGEST).count()


def sign_out_everywhere(viewer: Viewer) -> None:
    """Ends every session and sign-in code, and deletes the cached rights."""
    end_access(company_id=viewer.company_id, remote_user_id=viewer.remote_user_id)
    record(Event.VIEWER_SIGNED_OUT, actor=viewer.actor, company_id=viewer.company_id)


def greet(viewer: Viewer, name: str) -> None:
    """Stores the name that Procore gave at the sign-in."""
    with tenant(viewer.company_id):
        ViewerProfile.objects.update_or_create(
            company_id=viewer.company_id,
            remote_user_id=viewer.remote_user_id,
            defaults={"name": name, "last_seen_at": clock.now()},
        )


def wants_tour(viewer: Viewer) -> bool:
    """Inside tenant(): true until they have ended it once."""
    return ViewerProfile.objects.filter(
        company_id=viewer.company_id, remote_user_id=viewer.remote_user_id, tour_ended=False
    ).exists()


def end_tour(viewer: Viewer) -> None:
    """Inside tenant()."""
    ViewerProfile.objects.filter(
        company_id=viewer.company_id, remote_user_id=viewer.remote_user_id
    ).update(tour_ended=True)


def names_in(company_id: int) -> dict[str, str]:
    """Names of people who have signed in here, by actor as in the audit log."""
    with tenant(company_id):
        rows = ViewerProfile.objects.filter(company_id=company_id)
        return {f"procore:{row.remote_user_id}": row.name for row in rows}


def name_of(viewer: Viewer) -> str:
    with tenant(viewer.company_id):
        found = ViewerProfile.objects.filter(
            company_id=viewer.company_id, remote_user_id=viewer.remote_user_id
        ).first()
    return found.name if found else ""
