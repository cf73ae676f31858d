"""Prometheus metrics: for all tenants, without content, to this host alone."""

import json
import re
from datetime import timedelta
from pathlib import Path

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


MONITORING = Path(__file__).resolve().parents[2] / "docs" / "operations" / "monitoring"


def test_every_figure_that_a_dashboard_or_a_rule_asks_for_is_there(synced: int) -> None:
    told = set(re.findall(r"^# TYPE (\w+)", Client().get("/metrics").text, re.MULTILINE))
    panels = json.loads((MONITORING / "grafana.json").read_text())["panels"]
    asked = " ".join(panel["targets"][0]["expr"] for panel in panels)
    asked += (MONITORING / "alerts.yml").read_text()
    names = set(re.findall(r"tieback_\w+", asked))
    assert len(names) > 10
    assert names - told == set()


def test_the_status_page_says_what_works_and_names_nobody(synced: int) -> None:
    answer = Client().get("/status.json")
    found = answer.json()
    assert found["components"]["freshness"] == "ok"
    assert set(found["components"].values()) <= {"ok", "trouble"}
    assert "Halden" not in answer.text
