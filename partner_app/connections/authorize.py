"""A Procore sign-in from start to tokens: state, browser, expiry, single use."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from integrations.procore.api.errors import NotConnected, ProcoreError, Unreadable
from integrations.procore.api.manifest import PATH as PERMISSIONS
from integrations.procore.api.manifest import Level, read_manifest
from integrations.procore.api.oauth import TokenPair
from integrations.procore.api.values import names_by_id, record_id, text_of, yes_or_no
from partner_app.connections.access import fresh_client
from partner_app.connections.errors import (
    NoCompany,
    StateExpired,
    StateForeign,
    StateReplayed,
    StateUnknown,
)
from partner_app.connections.login import oauth
from partner_app.connections.models import Purpose, SignInAttempt
from partner_app.connections.vault import seal, unseal
from partner_app.core import clock
from partner_app.core.secrets import fingerprint, random_secret

# As long as Procore's code is valid: https://developers.procore.com/documentation/oauth-endpoints
LIFETIME = timedelta(minutes=10)
COMPANIES_SHOWN = 20


@dataclass(frozen=True)
class Person:
    """The person who signed in, according to Procore."""

    remote_user_id: int
    name: str


@dataclass(frozen=True)
class CompanyChoice:
    """One of the person's companies, and the reason why it cannot be chosen, if any."""

    company_id: int
    name: str
    obstacle: str = ""


@dataclass(frozen=True)
class SignedIn:
    attempt: SignInAttempt
    person: Person
    companies: dict[int, str]
    pair: TokenPair


def start_sign_in(
    *, purpose: Purpose, browser: str, nonce: str = "", company_hint: int | None = None
) -> str:
    """The address of Procore's sign-in page. `browser` is the browser's cookie."""
    state, verifier = random_secret(), random_secret() + random_secret()
    SignInAttempt.objects.create(
        state_hash=fingerprint(state),
        browser_hash=fingerprint(browser),
        nonce_hash=fingerprint(nonce) if nonce else None,
        purpose=purpose,
        company_hint=company_hint,
        popup=bool(nonce),
        verifier=seal(verifier),
        created_at=clock.now(),
    )
    return oauth().authorization_address(state=state, verifier=verifier)


def consume_state(state: str, *, browser: str) -> SignInAttempt:
    """Accepts a state once, before it expires, in the browser that began.

    Raises StateUnknown, -Foreign, -Replayed, -Expired.
    """
    with transaction.atomic():
        attempt = (
            SignInAttempt.objects.select_for_update().filter(state_hash=fingerprint(state)).first()
        )
        if attempt is None:
            raise StateUnknown
        if bytes(attempt.browser_hash) != fingerprint(browser):
            raise StateForeign
        if attempt.consumed_at:
            raise StateReplayed
        attempt.consumed_at = clock.now()
        attempt.save(update_fields=["consumed_at"])
    if attempt.created_at + LIFETIME < clock.now():
        raise StateExpired
    return attempt


def complete(attempt: SignInAttempt, *, code: str) -> SignedIn:
    """Redeems the code and asks Procore who signed in. Raises ProcoreError."""
    pair = oauth().redeem(code=code, verifier=unseal(attempt.verifier))
    client = fresh_client(pair, company_id=None, who="sign-in")
    me = client.record("/rest/v1.0/me")
    key = record_id(me.get("id"))
    if key is None:
        raise Unreadable("a person without an id")
    person = Person(key, text_of(me.get("name")) or text_of(me.get("login")))
    rows = client.rows("/rest/v1.0/companies", {})
    active = (row for row in rows if yes_or_no(row.get("is_active")) is not False)
    return SignedIn(attempt, person, names_by_id(active), pair)


def keep_for_choice(signed_in: SignedIn) -> None:
    """Until a company is chosen, the tokens are kept sealed in the attempt."""
    pair = signed_in.pair
    document = {
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "expires_at": pair.expires_at.isoformat(),
        "name": signed_in.person.name,
        "companies": {str(key): name for key, name in signed_in.companies.items()},
    }
    attempt = signed_in.attempt
    attempt.tokens = seal(json.dumps(document))
    attempt.remote_user_id = signed_in.person.remote_user_id
    attempt.purpose = Purpose.INSTALL
    attempt.save(update_fields=["tokens", "remote_user_id", "purpose"])


def waiting_choice(*, browser: str) -> SignedIn:
    """The newest unfinished sign-in of this browser. Raises StateUnknown, StateExpired."""
    attempt = (
        SignInAttempt.objects.filter(
            browser_hash=fingerprint(browser), finished_at=None, tokens__isnull=False
        )
        .order_by("-created_at")
        .first()
    )
    if attempt is None or attempt.tokens is None:
        raise StateUnknown
    if attempt.created_at + LIFETIME < clock.now():
        raise StateExpired
    document = json.loads(unseal(attempt.tokens))
    pair = TokenPair(
        document["access_token"],
        document["refresh_token"],
        datetime.fromisoformat(document["expires_at"]),
    )
    person = Person(attempt.remote_user_id or 0, document["name"])
    companies = {int(key): name for key, name in document["companies"].items()}
    return SignedIn(attempt, person, companies, pair)


def finish_choice(attempt: SignInAttempt) -> None:
    """Raises StateReplayed where another request was faster."""
    changed = SignInAttempt.objects.filter(
        state_hash=bytes(attempt.state_hash), finished_at=None
    ).update(finished_at=clock.now(), tokens=None)
    if not changed:
        raise StateReplayed


def choices(signed_in: SignedIn) -> list[CompanyChoice]:
    """The person's companies, each with its obstacle, if any. Raises NoCompany if none is free."""
    found = list(_judge(signed_in))
    if not any(not choice.obstacle for choice in found):
        names = "; ".join(f"{choice.name}: {choice.obstacle}" for choice in found)
        error = NoCompany()
        error.facts["detail"] = names
        raise error
    return found


def _judge(signed_in: SignedIn) -> Iterator[CompanyChoice]:
    allowed = settings.PROCORE.allowed_companies
    hint = signed_in.attempt.company_hint
    ordered = sorted(signed_in.companies.items(), key=lambda item: (item[0] != hint, item[1]))
    for company_id, name in ordered[:COMPANIES_SHOWN]:
        if allowed and company_id not in allowed:
            yield CompanyChoice(
                company_id, name, "this Tieback installation does not serve this company"
            )
            continue
        yield CompanyChoice(company_id, name, _obstacle(signed_in.pair, company_id))


def _obstacle(pair: TokenPair, company_id: int) -> str:
    """Checks the person's rights in Procore's permission manifest, with the person's token."""
    client = fresh_client(pair, company_id=company_id, who="sign-in")
    try:
        manifest = read_manifest(client.get(PERMISSIONS, company_id=company_id))
    except NotConnected:
        return "the app is not installed there in Procore yet"
    except ProcoreError as error:
        return error.message
    if manifest.level("admin") is Level.ADMIN:
        return ""
    if not manifest.understood("admin"):
        return (
            "Procore’s answer about your permissions there could not be read; try again in five "
            "minutes, and if the problem remains, write to support"
        )
    return "you are not an administrator there"
