"""What partner admins do to a tenant: confirmed first, limited by role, and recorded."""

from datetime import timedelta
from typing import Any

import pytest

from integrations.procore.sync.models import Absence, DueRead, DueWork, Reason
from integrations.procore.sync.schedule import claim_due, make_due
from integrations.procore.sync.services import sync_now
from integrations.procore.webhooks.hooks import check_all, reconcile
from integrations.procore.webhooks.inbox import NO_MONTH
from integrations.procore.webhooks.models import WebhookEvent, WebhookHook
from partner_app.accounts.models import Role
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.dashboard.actions import ACTIONS
from partner_app.tenancy.models import Company
from tests.dashboard.people import admin_of
from tests.frame import Frame, text_of
from tests.procore import Procore


def path(company: int, name: str) -> str:
    return f"/dashboard/tenants/{company}/do/{name}/"


def done(company: int, name: str, **body: str) -> None:
    assert admin_of(ACTIONS[name].role).post(path(company, name), body).status_code == 302


@pytest.mark.parametrize("name", ACTIONS)
def test_each_action_asks_and_is_for_its_role_alone(synced: int, name: str) -> None:
    action = ACTIONS[name]
    company = Company.objects.get(id=synced)
    missing(synced)
    if not action.fits(company):
        company.paused_at, company.switched_off = clock.now(), ["handoffs", "digests", "webhooks"]
        company.save()
    recorded = AuditEvent.objects.exclude(event="admin.signed_in")
    before = recorded.count()
    for role in Role:
        browser = admin_of(role)
        allowed = role.covers(action.role)
        assert browser.get(path(synced, name)).status_code == (200 if allowed else 403), role
        if not allowed:
            assert browser.post(path(synced, name)).status_code == 403
        listed = text_of(browser.get(f"/dashboard/tenants/{synced}/"))
        assert (action.title in listed) is allowed
    assert recorded.count() == before  # the question alone does nothing


def missing(company_id: int) -> Absence:
    now = clock.now()
    return Absence.objects.create(
        company_id=company_id, resource="vendors", reason=Reason.EMPTY, missing=7, since=now,
        retry_at=now,
    )  # fmt: skip


def test_missing_records_are_shown_and_deleted_once_they_are_confirmed(
    synced: int, procore: Procore
) -> None:
    procore.control("hiding", rules=[{"path": "*/vendors"}])
    sync_now(company_id=synced, full=True, only=[], wait=clock.wait_until)
    row = Absence.objects.get()
    browser = admin_of(Role.OPERATOR)
    shown = text_of(browser.get(path(synced, "missing-records")))
    assert f"Vendors: {row.missing} records since" in shown
    assert "The list is empty" in shown
    name = Company.objects.get(id=synced).name
    refused = browser.post(path(synced, "missing-records"), {"word": name})
    assert refused.status_code == 422
    assert "Choose at least one." in text_of(refused)
    done = browser.post(path(synced, "missing-records"), {"word": name, "chosen": [row.id]})
    assert done.status_code == 302
    assert AuditEvent.objects.get(event="records.deletion_confirmed").actor.startswith("partner:")
    answer = sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert answer["resources"]["vendors"]["deleted"] == row.missing  # type: ignore[index]
    assert not Absence.objects.exists()


def test_a_resync_is_due_at_once_and_recorded_with_its_doer(synced: int) -> None:
    done(synced, "resync")
    assert DueWork.objects.get(company_id=synced).due_at <= clock.now()
    row = AuditEvent.objects.get(event="admin.acted")
    assert (row.actor, row.facts) == ("partner:user-operator", {"action": "resync"})


def test_reading_everything_again_is_a_full_sync(synced: int) -> None:
    done(synced, "read-all")
    work = DueWork.objects.get(company_id=synced)
    assert work.full_due_at is not None
    assert work.full_due_at <= clock.now()


def test_a_paused_tenant_is_not_called_until_it_is_resumed(synced: int) -> None:
    make_due(company_id=synced)
    done(synced, "pause")
    assert synced not in claim_due()
    done_again = admin_of(Role.OWNER).post(path(synced, "resume"))
    assert done_again.status_code == 302
    assert synced in claim_due()
    assert AuditEvent.objects.filter(event="company.paused", company_id=synced).exists()


def test_what_cannot_be_undone_takes_the_companys_name(synced: int) -> None:
    browser = admin_of(Role.OWNER)
    name = Company.objects.get(id=synced).name
    refused = browser.post(path(synced, "purge-now"), {"word": "something"})
    assert refused.status_code == 422
    assert "not the company’s name" in text_of(refused)
    assert Company.objects.filter(id=synced).exists()
    assert browser.post(path(synced, "purge-now"), {"word": name}).status_code == 302
    assert not Company.objects.filter(id=synced).exists()
    assert AuditEvent.objects.filter(event="company.purged", actor="partner:user-owner").exists()


def test_a_purge_waits_for_the_grace(synced: int) -> None:
    name = Company.objects.get(id=synced).name
    done(synced, "purge", word=name)
    assert Company.objects.get(id=synced).purge_after is not None


def test_the_hooks_secret_is_renewed(company: int) -> None:
    reconcile(company_id=company)
    hook = WebhookHook.objects.get(company_id=company)
    before = bytes(hook.secret_hash)
    done(company, "rotate-hook")
    check_all()
    hook.refresh_from_db()
    assert bytes(hook.secret_hash) != before
    assert bytes(hook.former_hash or b"") == before


def test_an_event_is_read_again(synced: int) -> None:
    event = WebhookEvent.objects.create(
        company_id=synced, ulid="1", project_id=5, resource_type="RFIs", reason="update",
        received_at=clock.now(), month=NO_MONTH,
    )  # fmt: skip
    address = f"/dashboard/webhooks/{event.id}/again/"
    assert admin_of(Role.VIEWER).post(address).status_code == 403
    assert admin_of(Role.OPERATOR).post(address).status_code == 302
    due = DueRead.objects.get(company_id=synced)
    assert (due.resource, due.project_id) == ("rfis", 5)


def test_handoffs_that_are_switched_off_say_so_and_come_back(
    admin: Frame, procore: Procore
) -> None:
    address = f"/embedded/projects/{procore.projects()[1]}/estimates/"
    assert admin.get(address).status_code == 200
    done(admin.company_id, "handoffs-off")
    refused = admin.get(address)
    assert refused.status_code == 403
    assert "Estimate Handoff is switched off" in text_of(refused)
    assert admin_of(Role.OWNER).post(path(admin.company_id, "handoffs-on")).status_code == 302
    assert admin.get(address).status_code == 200


def test_webhooks_that_are_switched_off_leave_procore_and_polling_goes_on(company: int) -> None:
    make_due(company_id=company)
    reconcile(company_id=company)
    done(company, "webhooks-off")
    check_all()
    assert not WebhookHook.objects.filter(company_id=company).exists()
    assert not DueWork.objects.get(company_id=company).hooked
    check_all()
    assert not WebhookHook.objects.filter(company_id=company).exists()


def test_a_reconnect_link_is_shown_and_mailed_where_an_address_is_given(
    synced: int, settings: Any, mailoutbox: Any
) -> None:
    shown = admin_of(Role.SUPPORT).get(path(synced, "reconnect-link"))
    assert f"{settings.BASE_URL}/install/" in shown.text
    settings.MAIL = {"host": "here"}
    done_by = admin_of(Role.OWNER)
    done_by.post(path(synced, "reconnect-link"), {"address": "admin@builder.example"})
    [mail] = mailoutbox
    assert mail.to == ["admin@builder.example"]
    assert "/install/" in mail.body


def test_an_action_that_does_not_fit_says_so_and_does_nothing(synced: int) -> None:
    Company.objects.filter(id=synced).update(paused_at=clock.now() - timedelta(hours=1))
    answer = admin_of(Role.OPERATOR).post(path(synced, "pause"))
    assert answer.status_code == 302
    assert not AuditEvent.objects.filter(event="admin.acted").exists()
