"""The registered hook is made equal to the wanted one, whatever happened to it."""

from datetime import timedelta

import pytest

from integrations.procore.api.errors import ProcoreError
from integrations.procore.sync.models import DueRead, DueWork
from integrations.procore.sync.schedule import make_due
from integrations.procore.webhooks.hooks import reconcile, remove
from integrations.procore.webhooks.models import HookState, WebhookEvent, WebhookHook
from partner_app.core import clock
from tests.procore import Procore
from tests.simulator.calls import Api, as_service
from tests.waiting import until


@pytest.fixture
def api(procore: Procore) -> Api:
    return as_service(procore)


def hooks(api: Api) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = api.call("GET", path(api), params={"per_page": 100}).json()[
        "data"
    ]
    return rows


def path(api: Api) -> str:
    return f"/rest/v2.0/companies/{api.company_id}/webhooks/hooks"


def register(api: Api, **changes: object) -> None:
    body = {
        "payload_version": "v4.0",
        "namespace": "tieback",
        "destination_url": "http://127.0.0.1:9/old/",
        "destination_headers": {"Authorization": "Bearer old"},
        **changes,
    }
    assert api.call("POST", path(api), json=body).status_code == 201


def writes(procore: Procore) -> list[str]:
    return [
        call["method"]
        for call in procore.ledger()
        if call["method"] != "GET" and "/webhooks/" in call["path"]
    ]


def test_a_missing_hook_is_registered_with_all_triggers(company: int, api: Api) -> None:
    make_due(company_id=company)
    assert reconcile(company_id=company) == HookState.ACTIVE
    [row] = hooks(api)
    hook = WebhookHook.objects.get(company_id=company)
    assert str(row["destination_url"]).endswith(f"/webhooks/procore/{hook.key}/")
    assert row["trigger_count"] == 17 * 3
    assert DueWork.objects.get(company_id=company).hooked


def test_what_changed_before_a_new_hook_is_looked_for_at_once(company: int) -> None:
    make_due(company_id=company)
    later = clock.now() + timedelta(hours=1)
    due = DueWork.objects.filter(company_id=company)
    due.update(due_at=later)
    reconcile(company_id=company)
    assert due.get().due_at <= clock.now()
    due.update(due_at=later)
    reconcile(company_id=company)
    assert due.get().due_at == later


def test_a_hook_in_order_is_left_alone(company: int, procore: Procore) -> None:
    reconcile(company_id=company)
    procore.control("clear", all=True)
    reconcile(company_id=company)
    assert writes(procore) == []
    assert procore.violations() == []


def test_stale_and_doubled_hooks_of_ours_go_and_foreign_ones_stay(company: int, api: Api) -> None:
    register(api)
    register(api, namespace="somebody-else")
    reconcile(company_id=company)
    wanted = str(hooks(api)[-1]["destination_url"])
    register(api, destination_url=wanted)
    reconcile(company_id=company)
    rows = hooks(api)
    assert sorted(str(row["namespace"]) for row in rows) == ["somebody-else", "tieback"]
    assert [row["destination_url"] for row in rows if row["namespace"] == "tieback"] == [wanted]


def test_a_hook_whose_answer_was_lost_is_taken_on_and_not_doubled(
    company: int, api: Api, procore: Procore
) -> None:
    procore.control("faults", kind="reset_after", method="POST", path="*/webhooks/hooks")
    with pytest.raises(ProcoreError):
        reconcile(company_id=company)
    assert reconcile(company_id=company) == HookState.ACTIVE
    assert len(hooks(api)) == 1


def test_secrets_are_renewed_and_the_former_one_accepted(company: int) -> None:
    reconcile(company_id=company)
    before = WebhookHook.objects.get(company_id=company)
    long_ago = clock.now() - timedelta(days=31)
    WebhookHook.objects.filter(company_id=company).update(rotated_at=long_ago)
    reconcile(company_id=company)
    after = WebhookHook.objects.get(company_id=company)
    assert bytes(after.secret_hash) != bytes(before.secret_hash)
    assert bytes(after.former_hash or b"") == bytes(before.secret_hash)


def test_where_procore_does_not_allow_it_polling_goes_on(company: int, procore: Procore) -> None:
    make_due(company_id=company)
    procore.control("faults", kind="status", status=403, path="*/webhooks/*", times=9)
    assert reconcile(company_id=company) == HookState.REFUSED
    assert not DueWork.objects.get(company_id=company).hooked


def test_events_that_never_arrived_are_found_in_the_delivery_log(
    synced: int, procore: Procore
) -> None:
    """Nobody listens at our address here, and the simulator's twelve hours pass in a moment."""
    make_due(company_id=synced)
    reconcile(company_id=synced)
    procore.control("webhooks", time_scale=200_000.0)
    project = procore.projects()[0]
    rfi = procore.records(project, "rfis")[0]["id"]
    procore.control(f"projects/{project}/rfis/{rfi}", set={"subject": "Changed unheard"})

    def found() -> bool:
        reconcile(company_id=synced)
        return WebhookEvent.objects.exists()

    until(found)
    assert DueRead.objects.filter(resource="rfis", project_id=project).exists()


def test_switched_off_our_hook_is_removed(company: int, api: Api) -> None:
    reconcile(company_id=company)
    remove(company_id=company)
    assert hooks(api) == []
