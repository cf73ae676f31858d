"""OAuth state: codes, grants and their tokens. Refresh tokens are single-use and rotate."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.clock import Clock

REPLACED = 0.5  # seconds in which a call may still arrive with a replaced token
CODE_LIFETIME = timedelta(minutes=10)
TOKEN_LIFETIME = timedelta(seconds=5400)


@dataclass
class Code:
    value: str
    person_id: int
    redirect_uri: str
    expires_at: datetime
    challenge: str | None
    used: bool = False


@dataclass
class Grant:
    """An active authorisation: a person's, or the service account's (person_id None)."""

    person_id: int | None
    created_at: datetime
    expires_at: datetime
    access_token: str
    refresh_token: str | None
    revoked: bool = False
    ended_at: datetime | None = None  # when the app learned that the token is no longer valid


@dataclass
class Tokens:
    clock: Clock
    codes: dict[str, Code] = field(default_factory=dict)
    by_access: dict[str, Grant] = field(default_factory=dict)
    by_refresh: dict[str, Grant] = field(default_factory=dict)
    spent_refresh: set[str] = field(default_factory=set)
    one_app_token: bool = False  # an app with a newer token should not use an older one
    newest_of_app: Grant | None = None

    def issue_code(self, person_id: int, redirect_uri: str, challenge: str | None) -> Code:
        code = Code(
            secrets.token_urlsafe(32),
            person_id,
            redirect_uri,
            self.clock.now() + CODE_LIFETIME,
            challenge,
        )
        self.codes[code.value] = code
        return code

    def redeem_code(self, value: str, redirect_uri: str, verifier: str | None) -> Grant | None:
        code = self.codes.get(value)
        if code is None or code.used or code.expires_at < self.clock.now():
            return None
        code.used = True
        if code.redirect_uri != redirect_uri:
            return None
        if code.challenge is not None and _challenge(verifier or "") != code.challenge:
            return None
        return self.issue(code.person_id)

    def issue(self, person_id: int | None) -> Grant:
        now = self.clock.now()
        # As long as the real ones, which are signed JSON, so that a column that is too short fails.
        access = "eyJhbGciOiJFUzUxMiJ9." + secrets.token_urlsafe(900)
        refresh = secrets.token_urlsafe(32) if person_id is not None else None
        grant = Grant(person_id, now, now + TOKEN_LIFETIME, access, refresh)
        if person_id is None and self.one_app_token:
            self._end(self.newest_of_app, now)
            self.newest_of_app = grant
        self.by_access[access] = grant
        if refresh:
            self.by_refresh[refresh] = grant
        return grant

    def rotate(self, refresh: str) -> Grant | None:
        """Ends the old pair on any attempt, whether or not the answer arrives."""
        grant = self.by_refresh.pop(refresh, None)
        self.spent_refresh.add(refresh)
        if grant is None or grant.revoked:
            return None
        grant.revoked = True
        self._end(grant, self.clock.now())
        return self.issue(grant.person_id)

    def revoke(self, token: str) -> None:
        grant = self.by_access.get(token) or self.by_refresh.get(token)
        if grant:
            grant.revoked = True
            self._end(grant, self.clock.now())
            if grant.refresh_token:
                self.by_refresh.pop(grant.refresh_token, None)

    def living(self, access: str) -> Grant | None:
        grant = self.by_access.get(access)
        if grant is None or grant.revoked or grant.expires_at <= self.clock.now():
            return None
        return grant

    def misused(self, access: str, now: datetime) -> str:
        """Why the app should have known that the token was invalid; empty if it could not."""
        grant = self.by_access.get(access)
        if grant is None:
            return ""
        if grant.ended_at is None:
            expired = grant.expires_at <= now and not grant.revoked
            return "expired" if expired else ""
        since = (now - grant.ended_at).total_seconds()
        return f"replaced or refused {since:.1f} s before" if since > REPLACED else ""

    def refused(self, access: str) -> None:
        """A call was answered with 401, and the answer was sent: from now on the app knows."""
        grant = self.by_access.get(access)
        if grant and grant.revoked:
            self._end(grant, self.clock.now())

    def revoke_app(self) -> None:
        """Ends the app's own tokens, as somebody at Procore may."""
        for grant in self.by_access.values():
            if grant.person_id is None:
                grant.revoked = True

    def _end(self, grant: Grant | None, now: datetime) -> None:
        if grant and grant.ended_at is None:
            grant.ended_at = now

    def expire_all(self) -> None:
        for grant in self.by_access.values():
            grant.expires_at = self.clock.now()


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
