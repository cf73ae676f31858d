"""Figures for Prometheus: of all tenants, without content, to this host alone."""

from datetime import timedelta

from django.test import Client

from integrations.procore.sync.models import DueRead
from partner_app.core import clock


def test_a_collector_on_this_host_sees_how_the_tenants_are(synced: int) -> None:
    long_ago = clock.now() - timedelta(minutes=5)
    DueRead.objects.create(company_id=synced, resource="rfis", project_id=1, due_at=long_ago)
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    figures = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#")
    assert figures['tieback_companies{state="active"}'] == "2.0"
    assert figures['tieback_sync_runs{state="done"}'] == "1.0"
    assert float(figures["tieback_webhook_lag_seconds"]) > 299
    assert float(figures['tieback_stalest_seconds{resource="rfis"}']) >= 0
    assert "Halden" not in answer.text


def test_nobody_else_finds_the_address(synced: int) -> None:
    assert Client().get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    assert Client(REMOTE_ADDR="192.0.2.7").get("/metrics").status_code == 404
