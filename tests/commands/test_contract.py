"""Commands as a script runs them: one JSON document on stdout, logs on stderr, exit 0, 1 or 2."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from integrations.procore.sync.runs import holder_name, take_run
from partner_app.accounts.models import Role
from partner_app.audit.models import AuditEvent
from partner_app.connections.discover import discover
from partner_app.core.secrets import fingerprint
from partner_app.embedded.models import EmbeddedSession
from tests.dashboard.people import admin_of
from tests.frame import Frame
from tests.house.test_rules import ROOT
from tests.procore import Procore

SMALL = ROOT / "tests" / "estimates" / "files" / "small.csv"


def run(*arguments: object, status: int = 0, environment: Mapping[str, str] = {}) -> Any:
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "default", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr[-2000:]
    return json.loads(done.stdout) if done.stdout else None


def test_from_discovery_to_purge(procore: Procore, tmp_path: Path) -> None:
    company = procore.company_id
    found = run("discover")
    assert {"id": company, "name": "Halden Bay Builders"} in found["installed"]
    assert (found["new"], found["gone"]) == (2, 0)

    synced = run("sync", company)
    assert synced["company_id"] == company
    assert synced["mode"] == "full"
    assert synced["requests"] > 0
    assert synced["seconds"] > 0
    wanted = {"fetched", "created", "updated", "deleted", "unchanged", "requests"}
    assert all(wanted <= set(counts) for counts in synced["resources"].values())

    again = run("sync", company, "--resource", "rfis", "--resource", "submittals")
    assert again["mode"] == "incremental"
    assert set(again["resources"]) == {"rfis", "submittals"}

    checked = run("verify", company)
    assert checked["drift"] == 0
    assert set(checked["resources"]["rfis"]) == {
        "remote", "local", "missing", "extra", "suspect", "different", "unreadable",
    }  # fmt: skip

    state = run("status", company)["companies"][0]
    assert state["state"] == "active"
    assert state["resources"]["rfis"]["age_seconds"] >= 0

    assert run("missing_records", company) == {"missing": [], "confirmed": 0}
    refused = run("missing_records", company, "--confirm", 1, status=1)
    assert refused["error"] == "not_missing"

    inventory = run("data_inventory")
    assert set(inventory[0]) == {"resource", "field", "purpose", "personal", "retention_days"}
    run("export_company", company, "--output", tmp_path)
    line = json.loads((tmp_path / "rfis.jsonl").read_text().splitlines()[0])
    assert set(line) == {"id", "project_id", "updated_at", "fields"}
    names = {row["field"] for row in inventory if row["resource"] == "rfis"}
    assert set(line["fields"]) == names

    assert run("rotate_encryption_keys")["remaining"] == 0
    assert "purge_after" in run("purge_company", company)
    purged = run("purge_company", company, "--now")
    assert purged["purged"] is True
    assert run("status", company, status=1)["error"] == "unknown"


def test_an_estimate_from_file_to_budget_and_back(procore: Procore, tmp_path: Path) -> None:
    company, project = procore.company_id, procore.projects()[1]
    discover()
    run("sync", company)
    mapping = tmp_path / "mapping.csv"
    rows = [f"{section}*,{section}-000.S," for section in ("105", "202", "304")]
    mapping.write_text("item_code,wbs_code,percent\n" + "\n".join(rows) + "\n")
    place = ("--company", company, "--project", project)
    dry = run("import_estimate", SMALL, *place, "--mapping", mapping, "--dry-run")
    assert dry["estimate_id"] is None
    stored = run("import_estimate", SMALL, *place, "--mapping", mapping)
    assert (stored["mapped"], stored["unmapped"], stored["errors"]) == (4, 0, [])
    plan = run("handoff", stored["estimate_id"], "--plan")
    keys = {"handoff_id", "state", "create", "update", "unchanged", "blocked", "rows", "total",
            "requests", "reasons"}  # fmt: skip
    assert keys <= set(plan)
    assert plan["state"] == "planned"
    refused = run("handoff", stored["estimate_id"], "--push", status=1)
    assert refused["error"] == "not_approved"
    assert run("handoff", stored["estimate_id"], "--approve")["state"] == "approved"
    assert run("handoff", stored["estimate_id"], "--push")["state"] == "done"
    assert run("handoff", stored["estimate_id"], "--undo")["state"] == "undone"


def test_a_file_with_bad_cells_names_each_and_stores_nothing(
    procore: Procore, tmp_path: Path
) -> None:
    company = procore.company_id
    discover()
    run("sync", company, "--resource", "projects")
    file = tmp_path / "bad.csv"
    file.write_text(
        "Pay Item,Description,Quantity,Unit,Unit Price,Extension\n"
        "105-1,Survey,1,LS,100,100\n202-2,Removal,two,EA,5,10\n304-3,Patch,,TON,,\n"
    )
    answer = run(
        "import_estimate", file, "--company", company, "--project", procore.projects()[0], status=1
    )
    assert answer["error"] == "estimate_has_errors"
    assert [(e["row"], e["column"]) for e in answer["errors"]] == [
        (3, "Quantity"),
        (4, "Extension"),
    ]


def test_a_second_sync_of_the_same_company_is_refused_with_its_name(procore: Procore) -> None:
    discover()
    take_run(company_id=procore.company_id, mode="full", only=[], holder=holder_name())
    assert run("sync", procore.company_id, status=1)["error"] == "sync_in_progress"


def test_doctor_is_well_and_says_what_is_wrong_when_it_is_not(procore: Procore) -> None:
    assert run("doctor")["ok"] is True
    procore.control("faults", kind="status", method="POST", path="/oauth/token", status=503)
    ill = run("doctor", status=1)
    assert [check["name"] for check in ill["checks"] if not check["ok"]] == ["credentials"]
    assert all(check["remedy"] for check in ill["checks"] if not check["ok"])


def test_permissions_are_compared_tool_by_tool_and_doctor_names_companies_that_lack_some(
    procore: Procore,
) -> None:
    company = procore.company_id
    discover()
    rows = run("permissions", company)
    keys = {"project_id", "tab", "tool", "asked", "granted", "cause", "remedy"}
    assert all(keys <= set(row) for row in rows)
    assert {row["cause"] for row in rows} == {""}
    assert {row["project_id"] for row in rows} == {None, *procore.projects()}
    (budget, *_) = [row for row in rows if row["tool"] == "Budget"]
    assert budget["asked"].startswith("Read-Only, with “Create and Edit Original Budget Amount”")
    assert budget["granular"]["Create and Edit Original Budget Amount"] is True
    less = {"project": {"rfis": "none"}}
    procore.control("service-account", company_id=company, manifest=less)
    gaps = [row for row in run("permissions", company) if row["cause"]]
    assert {(row["tool"], row["granted"]) for row in gaps} == {("RFIs", "None")}
    assert "update" in gaps[0]["cause"]
    answer = run("doctor")
    assert answer["ok"] is True
    (found,) = [check for check in answer["checks"] if check["name"] == "service_accounts"]
    assert f"missing at {company} ({len(gaps)})" in found["detail"]
    assert "manage.py permissions" in found["remedy"]


@pytest.mark.parametrize(
    "arguments", [("sync",), ("sync", "acme"), ("handoff", "not-a-uuid", "--plan"), ("verify",)]
)
def test_wrong_usage_ends_with_2(database: None, arguments: tuple[str, ...]) -> None:
    run(*arguments, status=2)


def test_an_operator_signs_people_out(admin: Frame, engineer: Frame) -> None:
    company = admin.company_id
    me = EmbeddedSession.objects.get(token_hash=fingerprint(admin.bearer)).remote_user_id
    assert run("sign_out", "--company", company, "--person", me)["ended"] >= 1
    assert admin.get("/embedded/home/").status_code == 401
    assert engineer.get("/embedded/home/").status_code == 200
    assert run("sign_out", "--company", company)["ended"] >= 1
    assert engineer.get("/embedded/home/").status_code == 401

    owner, viewer = admin_of(Role.OWNER), admin_of(Role.VIEWER)
    assert run("sign_out", "--admin", "user-owner") == {"ended": 1}
    assert owner.get("/dashboard/").status_code == 302
    assert viewer.get("/dashboard/").status_code == 200
    assert run("sign_out", "--everybody")["ended"] >= 1
    assert viewer.get("/dashboard/").status_code == 302

    assert run("sign_out", "--admin", "nobody", status=1)["error"] == "admin_unknown"
    assert run("sign_out", "--company", 17, status=1)["error"] == "unknown"
    run("sign_out", "--everybody", "--person", 17, status=2)
    rows = AuditEvent.objects.filter(event="access.ended").order_by("id")
    assert [row.subject for row in rows] == [
        f"procore:{me}", "", "partner:user-owner", "everybody",
    ]  # fmt: skip


def test_an_unknown_company_is_named(database: None) -> None:
    assert run("sync", 17, status=1)["error"] == "unknown"


def test_provisioning_may_be_repeated(database: None) -> None:
    assert run("provision_database")["created"] is False


def test_what_operators_keep_and_hand_out(synced: int, tmp_path: Path) -> None:
    kit = run("marketplace_kit", "--output", tmp_path / "kit")
    assert kit["ok"] is True
    bundle = tmp_path / "bundle.zip"
    assert run("support_bundle", synced, "--output", bundle)
    assert bundle.stat().st_size > 1_000
    file = tmp_path / "tieback.dump"
    owner = os.environ["DATABASE_OWNER_URL"]
    assert run("backup", "--output", file, status=1)["error"]  # this role sees no tenant's rows
    superuser = {"DATABASE_BACKUP_URL": owner.replace("tieback_owner@", "postgres@")}
    assert run("backup", "--output", file, environment=superuser)["bytes"] > 10_000
    for each in connections.all():
        each.close()
    assert run("restore", file, environment=superuser)
    assert run("verify", synced)["drift"] == 0
