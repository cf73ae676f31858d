"""After the clock is set back, scheduled work runs when it would have run anyway."""

from datetime import timedelta
from pathlib import Path

from integrations.procore.sync.models import DueWork, SyncCursor
from partner_app.celery import app
from partner_app.core import clock
from partner_app.core.steps import SteadyScheduler, move_back
from partner_app.insights.models import DigestWork

HOUR = timedelta(hours=1)


def test_what_is_planned_by_our_clock_moves_and_what_people_chose_does_not(synced: int) -> None:
    now = clock.now()
    ahead = now + HOUR + timedelta(minutes=5)
    DueWork.objects.update_or_create(
        company_id=synced, defaults={"due_at": ahead, "leased_until": ahead}
    )
    DigestWork.objects.create(company_id=synced, remote_user_id=1, due_at=ahead)
    read = SyncCursor.objects.filter(company_id=synced).exclude(fresh_at=None)
    before = read.order_by("id").values_list("fresh_at", flat=True)[0]
    assert move_back(HOUR) >= 1
    due = DueWork.objects.get(company_id=synced)
    assert due.due_at == due.leased_until == ahead - HOUR
    assert DigestWork.objects.get().due_at == ahead
    assert read.order_by("id").values_list("fresh_at", flat=True)[0] == before


def test_a_schedule_that_was_kept_by_the_old_clock_rings_at_once(tmp_path: Path) -> None:
    """The scheduler was down meanwhile; a running one is in tests/chaos/test_place.py."""
    file = str(tmp_path / "beat")
    before = SteadyScheduler(app=app, schedule_filename=file)
    before.schedule["wake"].last_run_at = app.now() + HOUR
    before.close()
    after = SteadyScheduler(app=app, schedule_filename=file)
    try:
        _, seconds = after.schedule["wake"].is_due()
        assert seconds <= 2.0
    finally:
        after.close()
