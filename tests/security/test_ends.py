"""Access ends for good: signed-out people stay out, and a reinstall signs nobody in."""

import secrets
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.test import Client

from integrations.procore.sync.tasks import housekeeping
from partner_app.connections.discover import discover
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.login import oauth
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.connections.refresh import access_token
from partner_app.core import clock
from partner_app.core.secrets import fingerprint
from partner_app.embedded.models import EmbeddedSession, Entitlement, Pairing, SignInCode
from partner_app.embedded.pairing import start_pairing
from partner_app.embedded.session import Viewer, issue_code
from partner_app.tenancy.access import access_models
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import note_gone
from partner_app.tenancy.models import Company
from partner_app.tenancy.purge import company_models, purge_company
from tests.frame import Frame
from tests.procore import Procore

PAGES = ("home/", "exceptions/", "settings/", "insights/", "search/?q=a", "help/")
POSTS = ("refresh/", "help/ask/", "projects/1/estimates/upload/")


def install(procore: Procore, *, present: bool) -> None:
    projects = "all" if present else None
    procore.control("installs", company_id=procore.company_id, permitted_projects=projects)
    discover()


def signed_in(synced: int, procore: Procore, role: str = "admin") -> tuple[Frame, dict[str, Any]]:
    """A frame with its bearer, and the whole answer, which also contains the renewal secret."""
    frame = Frame(procore, synced)
    person = procore.person(role, synced)["id"]
    opened = frame.exchange(frame.code_in(frame.come_back(person))).json()
    frame.bearer = opened["token"]
    return frame, opened


def renew(secret: str) -> Any:
    return Client().post("/embedded/renewal/", {"renewal": secret})


def test_who_was_signed_in_before_an_uninstall_is_nobody_after_a_reinstall(
    synced: int, procore: Procore
) -> None:
    frame, opened = signed_in(synced, procore)
    assert frame.get("/embedded/home/").status_code == 200
    install(procore, present=False)
    assert renew(opened["renewal"]).status_code == 401
    assert not EmbeddedSession.objects.exists()
    install(procore, present=True)
    assert Company.objects.get(id=synced).usable
    for page in PAGES:
        assert frame.get(f"/embedded/{page}").status_code == 401, page
    for action in POSTS:
        assert frame.post(f"/embedded/{action}", text="Help", page="/").status_code == 401, action
    assert renew(opened["renewal"]).status_code == 401


def test_what_was_on_its_way_to_a_session_ends_with_an_uninstall(
    synced: int, procore: Procore
) -> None:
    """A sign-in code, a code shown in a frame, a sign-in in progress, and cached rights."""
    frame, _ = signed_in(synced, procore)
    frame.get("/embedded/home/")
    waiting = Frame(procore, synced)
    code = waiting.code_in(waiting.come_back(procore.person("admin")["id"]))
    shown = Frame(procore, synced)
    start_pairing(nonce=shown.nonce)
    Pairing.objects.update(company_id=synced, remote_user_id=1)
    under_way = Frame(procore, synced)
    query = procore.authorize(under_way.to_procore(), procore.person("admin")["id"])
    install(procore, present=False)
    install(procore, present=True)
    assert waiting.exchange(code).status_code == 400
    collected = Client().post("/embedded/pairing/", {"nonce": shown.nonce, "collect": "1"})
    assert collected.status_code == 204
    assert under_way.callback(**query).status_code == 400
    with tenant(synced):
        assert not Entitlement.objects.exists()


def test_access_ends_in_the_very_transaction_that_records_the_uninstall(
    synced: int, procore: Procore
) -> None:
    """A process that dies right afterwards leaves nobody signed in."""
    frame, _ = signed_in(synced, procore)
    with transaction.atomic():
        note_gone(company_id=synced)
        assert not EmbeddedSession.objects.filter(company_id=synced).exists()
        transaction.set_rollback(True)
    assert frame.get("/embedded/home/").status_code == 200


def test_a_return_before_the_closing_down_has_ended_finds_no_former_grant(
    synced: int, procore: Procore
) -> None:
    signed_in(synced, procore)
    note_gone(company_id=synced)  # and the process died here
    discover()
    with tenant(synced):
        kinds = set(Connection.objects.values_list("kind", flat=True))
    assert kinds == {ConnectionKind.SERVICE}


@pytest.mark.parametrize("state", ["disconnected", "grace", "discovered", "connecting"])
def test_no_session_begins_at_a_company_that_is_not_in_use(
    synced: int, procore: Procore, state: str
) -> None:
    _, opened = signed_in(synced, procore)
    nonce = secrets.token_hex(32)
    code = issue_code(nonce_hash=fingerprint(nonce), viewer=Viewer(synced, 1))
    start_pairing(nonce="n" * 40)
    Pairing.objects.update(company_id=synced, remote_user_id=1)
    Company.objects.filter(id=synced).update(state=state)
    before = EmbeddedSession.objects.count()
    answers = [
        renew(opened["renewal"]),
        Client().post("/embedded/session/", {"code": code, "nonce": nonce}),
        Client().post("/embedded/pairing/", {"nonce": "n" * 40, "collect": "1"}),
    ]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert EmbeddedSession.objects.count() == before


def test_asking_does_not_keep_a_session_alive_while_the_company_is_not_in_use(
    synced: int, procore: Procore
) -> None:
    frame, _ = signed_in(synced, procore)
    nearly = clock.now() + timedelta(minutes=5)
    EmbeddedSession.objects.update(expires_at=nearly)
    Company.objects.filter(id=synced).update(state="grace")
    assert frame.get("/embedded/progress/").status_code == 409
    assert EmbeddedSession.objects.get().expires_at == nearly


def test_a_sign_in_at_the_moment_of_an_uninstall_or_purge_leaves_no_session(
    synced: int, procore: Procore
) -> None:
    """Both at once, in many orders: in the end there is no session."""
    for end in (note_gone, purge_company):
        for _ in range(5):
            Company.objects.filter(id=synced).update(state="active")
            nonces = [secrets.token_hex(32) for _ in range(4)]
            codes = {
                nonce: issue_code(nonce_hash=fingerprint(nonce), viewer=Viewer(synced, 1))
                for nonce in nonces
            }
            begin = threading.Barrier(len(nonces) + 1)

            def open_one(nonce: str, codes: dict[str, str], begin: threading.Barrier) -> None:
                begin.wait()
                body = {"code": codes[nonce], "nonce": nonce}
                status = Client().post("/embedded/session/", body).status_code
                connection.close()
                assert status in {200, 400, 409}

            threads = [
                threading.Thread(target=open_one, args=(nonce, codes, begin)) for nonce in nonces
            ]
            for thread in threads:
                thread.start()
            begin.wait()
            if Company.objects.filter(id=synced).exists():
                end(company_id=synced)
            for thread in threads:
                thread.join()
            assert not EmbeddedSession.objects.exists()


def test_a_purge_ends_every_session(synced: int, procore: Procore) -> None:
    frame, opened = signed_in(synced, procore)
    Company.objects.filter(id=synced).update(purge_after=clock.now() - timedelta(seconds=1))
    housekeeping()
    assert renew(opened["renewal"]).status_code == 401
    assert frame.get("/embedded/home/").status_code == 401


def test_somebody_whom_procore_no_longer_lists_is_signed_out_everywhere(
    synced: int, procore: Procore
) -> None:
    """Their own attempt to sign in again shows it; others stay signed in."""
    frame, _ = signed_in(synced, procore, "engineer")
    other, _ = signed_in(synced, procore, "admin")
    stranger = procore.person("admin", procore.neighbour_id)["id"]
    EmbeddedSession.objects.exclude(remote_user_id=procore.person("admin")["id"]).update(
        remote_user_id=stranger
    )
    assert Frame(procore, synced).come_back(stranger).status_code == 403
    assert frame.get("/embedded/home/").status_code == 401
    assert other.get("/embedded/home/").status_code == 200


def test_a_grant_that_procore_revoked_ends_the_persons_sessions_and_what_was_remembered(
    synced: int, procore: Procore
) -> None:
    frame, opened = signed_in(synced, procore, "engineer")
    other, _ = signed_in(synced, procore, "admin")
    assert frame.get("/embedded/home/").status_code == 200
    person = EmbeddedSession.objects.exclude(
        remote_user_id=procore.person("admin")["id"]
    ).values_list("remote_user_id", flat=True)[0]
    kind = ConnectionKind.VIEWER
    token = access_token(company_id=synced, kind=kind, remote_user_id=person)
    oauth().revoke(token)
    with pytest.raises(ReconnectNeeded):
        access_token(company_id=synced, kind=kind, remote_user_id=person, refused=token)
    assert frame.get("/embedded/home/").status_code == 401
    assert renew(opened["renewal"]).status_code == 401
    with tenant(synced):
        assert not Entitlement.objects.filter(remote_user_id=person).exists()
    assert other.get("/embedded/home/").status_code == 200


def test_every_table_with_a_secret_of_a_person_says_that_it_ends_with_access() -> None:
    """A hash beside a company and a person is a credential."""
    ending = {model for model, _ in access_models()}
    for model, _ in company_models():
        if not any(field.attname == "remote_user_id" for field in model._meta.concrete_fields):
            continue
        secret = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.BinaryField) and field.name.endswith("_hash")
        ]
        if secret:
            assert model in ending, f"{model.__name__}: {secret}"
    assert {SignInCode, Pairing, EmbeddedSession, Entitlement} <= ending
