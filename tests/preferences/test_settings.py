"""A company's settings page: everybody sees it, its administrators change it."""

from partner_app.accounts.grants import allow_support, living_grant
from partner_app.audit.models import AuditEvent
from partner_app.tenancy.models import Company
from tests.frame import Frame, text_of


def test_an_administrator_lets_support_look_and_ends_it(admin: Frame) -> None:
    assert "Nobody at Tieback can see your records" in text_of(admin.get("/embedded/settings/"))
    answer = admin.ask("POST", "/embedded/settings/support/", {"hours": "8"})
    assert "may view your records until" in text_of(answer)
    assert living_grant(admin.company_id)
    text = text_of(admin.ask("POST", "/embedded/settings/support/", {"hours": "0"}))
    assert "Nobody at Tieback" in text
    assert "Support allowed Company Admin 127.0.0.1" in text
    assert living_grant(admin.company_id) is None


def test_only_offered_times_can_be_chosen(admin: Frame) -> None:
    admin.ask("POST", "/embedded/settings/support/", {"hours": "9999"})
    assert living_grant(admin.company_id) is None


def test_the_grace_is_0_to_30_days(admin: Frame) -> None:
    assert admin.ask("POST", "/embedded/settings/grace/", {"days": "31"}).status_code == 422
    assert admin.ask("POST", "/embedded/settings/grace/", {"days": "7"}).status_code == 200
    assert Company.objects.get(id=admin.company_id).grace_days == 7
    assert AuditEvent.objects.filter(event="company.settings_changed").count() == 1


def test_who_is_no_administrator_sees_the_state_and_neither_log_nor_buttons(
    engineer: Frame,
) -> None:
    text = text_of(engineer.get("/embedded/settings/"))
    assert "Active" in text
    assert "Only a company administrator" in text
    assert "What happened" not in text
    for path in ("support", "grace"):
        answer = engineer.ask("POST", f"/embedded/settings/{path}/", {"hours": "1", "days": "1"})
        assert answer.status_code == 403
    assert living_grant(engineer.company_id) is None


def test_the_log_holds_only_the_companys_own_events(admin: Frame) -> None:
    allow_support(company_id=admin.procore.neighbour_id, granted_by=5, hours=72)
    assert "hours: 72" not in text_of(admin.get("/embedded/settings/"))
