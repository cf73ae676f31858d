"""Metrics, exceptions and search words never fail the sync that they follow."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.projects import Project
from integrations.procore.resources.rfis import Rfi
from integrations.procore.sync.models import DueWork, Incident, RunState, SyncRun
from integrations.procore.sync.schedule import make_due as make_sync_due
from integrations.procore.sync.services import run_due, sync_now
from partner_app.core import clock
from partner_app.insights.digests import send_due
from partner_app.insights.facts import ProjectFacts
from partner_app.insights.metrics import CodeCost
from partner_app.insights.models import (
    CaseSettings,
    Digest,
    DigestWork,
    ExceptionCase,
    FigureWork,
    Rule,
)
from partner_app.insights.refresh import _claim as claim_figures
from partner_app.insights.refresh import compute_due, make_due
from partner_app.insights.rules import buyout_gap, over_commitment, pending_exposure
from partner_app.tenancy.context import tenant
from tests.frame import Frame, text_of
from tests.procore import Procore

Row = dict[str, Any]
AMOUNT = st.integers(-(10**8), 10**8).map(Decimal)
TOO_MUCH = Decimal(9_000_000_000_000_000)  # a column can hold it, but not the sum of two


def sync(company: int) -> dict[str, Any]:
    found: dict[str, Any] = sync_now(company_id=company, full=False, only=[], wait=clock.wait_until)
    return found


def drawn(company: int, project: int) -> datetime:
    moment = FigureWork.objects.get(company_id=company, project_id=project).drawn_at
    assert moment is not None
    return moment


def set_line(procore: Procore, project: int, line: Row, **values: Any) -> None:
    procore.control(f"projects/{project}/commitment_line_items/{line['id']}", set=values)


def two_lines_of_one_code(procore: Procore, project: int) -> tuple[Row, Row]:
    """Lines of committed contracts; the second is moved to the first one's WBS code."""
    committed = {
        row["id"]
        for row in procore.records(project, "work_order_contracts")
        if row["status"] == "Approved"
    }
    lines = procore.records(project, "commitment_line_items")
    first, second, *_ = [line for line in lines if line["holder"]["id"] in committed]
    set_line(procore, project, second, wbs_code=first["wbs_code"])
    return first, {**second, "wbs_code": first["wbs_code"]}


@contextmanager
def refusing(table: str, *, project: int | None = None) -> Iterator[None]:
    """Postgres rejects writes to this table: a trigger raises, like a full disk."""
    where = f"WHEN (NEW.project_id = {project})" if project else ""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} "
            f"FOR EACH ROW {where} EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"DROP TRIGGER refuse ON {table}")


def test_costs_of_one_code_in_two_currencies_are_two_cases(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    first, second = two_lines_of_one_code(procore, project)
    euro = {"currency_configuration": {"currency_iso_code": "EUR"}}
    set_line(procore, project, first, amount="50000000")
    set_line(procore, project, second, amount="60000000", **euro)
    assert sync(synced)["warnings"] == []
    code = first["wbs_code"]["id"]
    with tenant(synced):
        cases = ExceptionCase.objects.filter(
            project_id=project, rule=Rule.OVER_COMMITMENT, closed_at=None,
            subject__startswith=f"wbs:{code}:",
        )  # fmt: skip
        assert sorted(cases.values_list("subject", "currency")) == [
            (f"wbs:{code}:EUR", "EUR"),
            (f"wbs:{code}:USD", "USD"),
        ]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["USD", "EUR", "CAD"]), AMOUNT, AMOUNT),
        unique_by=lambda row: row[:2],
    )
)
def test_no_two_findings_of_a_rule_have_one_subject(rows: list[Any]) -> None:
    """Whatever costs a project has, a rule's subject names all that distinguishes its findings."""
    costs = [
        CodeCost(code, f"03-{code}", "", currency, original=budget, committed=committed)
        for code, currency, budget, committed in rows
    ]
    project = Project(company_id=1, remote_id=2, start_date=clock.now().date())
    facts = ProjectFacts(project, clock.now())
    facts.__dict__ |= {
        "costs": costs, "contracts": [], "events": [], "submittals": [], "handoff": None,
        "drifted": [],
    }  # fmt: skip
    limits = CaseSettings(company_id=1)
    of_cost = [over_commitment, buyout_gap, pending_exposure]
    found = [(f.rule, f.subject) for rule in of_cost for f in rule(facts, limits)]
    assert len(found) == len(set(found))


def test_open_cases_of_the_release_before_keep_their_snooze(synced: int) -> None:
    """Migrates back and forward, with exceptions as that release wrote them."""
    with tenant(synced):
        open_now = ExceptionCase.objects.filter(rule=Rule.BUYOUT_GAP, closed_at=None)
        case = open_now.exclude(audience="others").order_by("id")[0]  # migrating back keeps those
        ExceptionCase.objects.filter(id=case.id).update(note="Asked", snooze_reason="Owner knows")
    call_command("migrate", "insights", "0001", database="owner", verbosity=0)
    try:
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT set_config('tieback.company_id', %s, false)", [str(synced)])
            cursor.execute("SELECT subject FROM insights_exceptioncase WHERE id = %s", [case.id])
            assert cursor.fetchone()[0] == case.subject.rpartition(":")[0]
            cursor.execute("RESET tieback.company_id")
    finally:
        call_command("migrate", "insights", database="owner", verbosity=0)
        call_command("provision_database", stdout=StringIO())  # for the tables created again
    sync(synced)
    with tenant(synced):
        make_due(synced, [case.project_id])
    compute_due()
    with tenant(synced):
        kept = ExceptionCase.objects.get(id=case.id)
    assert (kept.subject, kept.note, kept.closed_at) == (case.subject, "Asked", None)
    assert kept.snooze_reason == "Owner knows"


def test_a_sum_that_no_column_holds_leaves_the_sync_and_other_projects_alone(
    synced: int, procore: Procore
) -> None:
    """A real case: two lines of one code add up to more than a column can hold."""
    project, other = procore.projects()[:2]
    before = drawn(synced, other)
    for line in two_lines_of_one_code(procore, project):
        set_line(procore, project, line, amount=str(TOO_MUCH))
    rfi = procore.records(other, "rfis")[0]
    procore.control(f"projects/{other}/rfis/{rfi['id']}", set={"subject": "Read all the same"})
    out = StringIO()
    call_command("sync", str(synced), stdout=out)  # would exit 1 on a failure
    answer = json.loads(out.getvalue())
    codes = [warning["code"] for warning in answer["warnings"]]
    assert codes == ["derived.exceptions", "derived.figures"]
    for warning in answer["warnings"]:
        assert warning["message"]
        assert warning["remedy"]
        assert warning["projects"] == 1
    with tenant(synced):
        assert Rfi.objects.get(remote_id=rfi["id"]).subject == "Read all the same"
        assert CommitmentLineItem.objects.filter(amount=TOO_MUCH).count() == 2
    assert drawn(synced, other) > before
    assert SyncRun.objects.filter(company_id=synced).latest("started_at").state == RunState.DONE


def test_a_project_that_fails_waits_longer_each_time_and_is_well_again_in_the_end(
    synced: int, procore: Procore
) -> None:
    project, other = procore.projects()[:2]
    waits = []
    work = FigureWork.objects.get(company_id=synced, project_id=project)
    before = drawn(synced, other)
    with refusing("insights_costfigure", project=project):
        for _ in range(4):
            make_due(synced, [project, other])
            count = compute_due()
            assert count == 2  # each once: the loop ends
            work.refresh_from_db()
            waits.append((work.due_at - clock.now()).total_seconds() / 60)
            assert compute_due() == 0
        assert [round(wait) for wait in waits] == [1, 2, 4, 8]
        assert work.failed == "figures"
        [incident] = Incident.objects.filter(company_id=synced, closed_at=None)
        assert (incident.code, incident.projects) == ("derived.figures", 1)
        assert "RaiseException" in incident.message
        assert "refused by the test" not in incident.message  # it may quote a record
        with tenant(synced):  # the other parts succeeded
            assert ExceptionCase.objects.filter(project_id=project, closed_at=None).exists()
        assert drawn(synced, other) > before
    make_due(synced, [project])
    compute_due()
    work.refresh_from_db()
    assert (work.attempts, work.failed) == (0, "")
    assert not Incident.objects.filter(company_id=synced, closed_at=None).exists()


def test_a_project_whose_computation_ends_its_process_does_not_hold_up_the_others(
    synced: int, procore: Procore
) -> None:
    """A claim that never ended counts as an attempt, and the others go first."""
    first, *others = procore.projects()
    make_due(synced, [first, *others])
    FigureWork.objects.filter(project_id=first).update(attempts=3)
    claimed = [claim.project_id for claim in claim_figures(synced)]
    assert claimed[-1] == first
    assert set(claimed) == {first, *others}
    work = FigureWork.objects.get(company_id=synced, project_id=first)
    assert work.attempts == 4
    assert work.due_at > clock.now() + timedelta(minutes=3)


def test_projects_that_cannot_be_marked_leave_the_mirror_written(
    synced: int, procore: Procore
) -> None:
    """The sync's own transaction marks projects; Postgres rejects only that write."""
    project = procore.projects()[0]
    rfi = procore.records(project, "rfis")[0]
    before = drawn(synced, project)
    procore.control(f"projects/{project}/rfis/{rfi['id']}", set={"subject": "Written"})
    with refusing("insights_figurework"):
        answer = sync(synced)
    assert answer["resources"]["rfis"]["updated"] == 1
    assert [warning["code"] for warning in answer["warnings"]] == ["derived.not_marked"]
    with tenant(synced):
        assert Rfi.objects.get(remote_id=rfi["id"]).subject == "Written"
    assert drawn(synced, project) == before
    assert sync(synced)["warnings"] == []  # nothing new in Procore; the missed marks are caught up
    assert drawn(synced, project) > before


def test_a_receiver_that_fails_fails_neither_the_others_nor_the_schedule(
    synced: int, procore: Procore
) -> None:
    """The steps after a sync: the schedule and the other receivers still run."""
    project = procore.projects()[0]
    rfi = procore.records(project, "rfis")[0]
    before = drawn(synced, project)
    procore.control(f"projects/{project}/rfis/{rfi['id']}", set={"subject": "Figures go on"})
    make_sync_due(company_id=synced)
    with refusing("dashboard_tenantsummary"):
        assert run_due(company_id=synced, wait=clock.wait_until) is False
    assert drawn(synced, project) > before
    assert DueWork.objects.get(company_id=synced).due_at > clock.now()
    [incident] = Incident.objects.filter(company_id=synced, closed_at=None)
    assert incident.code == "derived.after_sync"
    assert sync(synced)["warnings"] == []


def test_an_incident_that_cannot_be_written_does_not_fail_a_sync(
    synced: int, procore: Procore
) -> None:
    procore.control("service-tools", tools=["submittals", "change_events", "commitments"])
    with refusing("procore_incident"):
        answer: Row = sync_now(company_id=synced, full=True, only=[], wait=clock.wait_until)
    assert "rfis" in {problem["resource"] for problem in answer["problems"]}
    assert answer["resources"]["submittals"]["fetched"]
    sync_now(company_id=synced, full=True, only=[], wait=clock.wait_until)
    assert Incident.objects.filter(company_id=synced, closed_at=None, resource="rfis").exists()


def test_times_and_texts_beyond_reason_are_no_poison(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    first, second = procore.records(project, "rfis")[:2]
    old = {"status": "open", "initiated_at": "0001-01-01T00:00:00Z", "due_date": "0001-01-01"}
    far = {"status": "closed", "time_resolved": "9999-12-31T23:59:59Z"}
    procore.control(f"projects/{project}/rfis/{first['id']}", set=old)
    words = " ".join(f"word{number}" for number in range(200_000))
    procore.control(f"projects/{project}/rfis/{second['id']}", set={**far, "subject": words})
    assert sync(synced)["warnings"] == []


def test_a_project_page_says_that_its_figures_are_older_than_its_records(admin: Frame) -> None:
    project = admin.procore.projects()[0]
    with refusing("insights_costfigure", project=project):
        make_due(admin.company_id, [project])
        compute_due()
        page = text_of(admin.get(f"/embedded/projects/{project}/"))
    assert "The records are up to date, but the figures could not be computed" in page
    make_due(admin.company_id, [project])
    compute_due()
    page = text_of(admin.get(f"/embedded/projects/{project}/"))
    assert "could not be computed" not in page


def test_one_digest_that_fails_holds_up_no_other(admin: Frame) -> None:
    company = admin.company_id
    user = admin.procore.person("admin", company)["id"]
    with tenant(company):
        for number in (user, user + 1):
            Digest.objects.create(
                company_id=company, remote_user_id=number, address="a@example.test", language="en"
            )
    for number in (user, user + 1):
        DigestWork.objects.create(company_id=company, remote_user_id=number, due_at=clock.now())
    with refusing("insights_digest"):
        send_due()
    assert not DigestWork.objects.filter(due_at__lte=clock.now()).exists()
