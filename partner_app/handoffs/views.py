"""A project's estimates, and a handoff from its plan to its end, in the frame."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from integrations.procore.resources.projects import Project
from partner_app.audit.events import Event
from partner_app.connections.access import viewer_client
from partner_app.core.errors import TiebackError
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.errors import ProjectHidden
from partner_app.embedded.session import names_in
from partner_app.estimates.access import budget_rights, estimate_to_change
from partner_app.estimates.models import ReadingState
from partner_app.estimates.selectors import unfinished
from partner_app.estimates.services import LARGEST_FILE, delete_estimate
from partner_app.handoffs import decisions as approvals
from partner_app.handoffs import undo as undoing
from partner_app.handoffs import undo_request as requests
from partner_app.handoffs import work
from partner_app.handoffs.access import handoff_for, handoff_to_write
from partner_app.handoffs.errors import EstimateInUse, HandoffError
from partner_app.handoffs.forms import (
    CommentForm,
    PlanForm,
    RejectForm,
    RowsForm,
    UndoForm,
    UndoRequestForm,
)
from partner_app.handoffs.models import Handoff, HandoffState, Task, UndoRequest
from partner_app.handoffs.plan import make_plan
from partner_app.handoffs.proof import WriteProof
from partner_app.handoffs.record import hindrances, note
from partner_app.handoffs.report import diff_workbook, report_pdf
from partner_app.handoffs.selectors import (
    counts,
    divisions,
    drift,
    estimates_of,
    handoff_or_error,
    newest_by_estimate,
    planned_totals,
    progress,
    rows_of,
    waiting_for_approval,
    waiting_for_undo,
)
from partner_app.handoffs.states import WORKING, WRITTEN
from partner_app.handoffs.tasks import enqueue
from partner_app.tenancy.context import tenant

ESTIMATES_A_PAGE = 25
ROWS_A_PAGE = 100
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@workspace("GET")
def estimates(request: ViewerRequest, project_id: int) -> HttpResponse:
    rights = budget_rights(request, project_id)
    return _estimates_page(request, project_id, rights)


@workspace("POST")
def delete(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """Only for one that never reached Procore; the others are records."""
    estimate = estimate_to_change(request, estimate_id)
    with tenant(request.company.id):
        used = estimate.handoffs.exclude(pushed_by="").exists()
        if used:
            raise EstimateInUse
        estimate.handoffs.all().delete()
    delete_estimate(
        company_id=request.company.id, estimate_id=estimate_id, actor=request.viewer.actor
    )
    rights = budget_rights(request, estimate.project_id)
    return _estimates_page(request, estimate.project_id, rights)


@workspace("POST")
def plan(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """Reads the live budget now, with the viewer's own rights."""
    estimate = estimate_to_change(request, estimate_id)
    rights = budget_rights(request, estimate.project_id)
    form = PlanForm(request.POST)
    override = form.cleaned_data["override"] if form.is_valid() else ""
    with tenant(request.company.id):
        newest = newest_by_estimate(request.company.id, [estimate_id]).get(estimate_id)
    overrides = {*newest.overrides, override} if newest and override else set()
    handoff = make_plan(
        company_id=request.company.id,
        estimate_id=estimate_id,
        client=viewer_client(request.company.id, request.viewer.remote_user_id),
        actor=request.viewer.actor,
        overrides=overrides,
    )
    return _handoff_page(request, handoff.id, rights)


@workspace("GET")
def handoff_page(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    _, rights = handoff_for(request, handoff_id)
    return _handoff_page(request, handoff_id, rights)


@workspace("GET")
def handoff_progress(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    """Polled each second while it is written; at its end the page is reloaded."""
    handoff, _ = handoff_for(request, handoff_id)
    with tenant(request.company.id):
        context = {"handoff": handoff, "progress": progress(handoff)}
    response = render(request, "handoffs/_progress.html", context)
    if handoff.state not in WORKING:
        response["HX-Trigger"] = "handoff-ended"
    return response


@workspace("POST")
def submit(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    _, rights = handoff_for(request, handoff_id)
    form = CommentForm(request.POST)
    comment = form.cleaned_data["comment"] if form.is_valid() else ""
    return _after(
        request,
        handoff_id,
        rights,
        lambda who: approvals.submit(**who, comment=comment),
    )


@workspace("POST")
def approve(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    """Approves and starts the push; where it is already approved, only starts the push."""
    handoff, rights = handoff_to_write(request, handoff_id)
    form = CommentForm(request.POST)
    comment = form.cleaned_data["comment"] if form.is_valid() else ""

    def act(who: dict[str, Any]) -> None:
        if handoff.state in {HandoffState.PLANNED, HandoffState.SUBMITTED}:
            proof = WriteProof(handoff.project_id, proved=rights.edits_budget)
            approvals.approve(**who, proof=proof, comment=comment)
        _begin(request, handoff_id, Task.PUSH)

    return _after(request, handoff_id, rights, act)


@workspace("POST")
def reject(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    _, rights = handoff_to_write(request, handoff_id)
    form = RejectForm(request.POST)
    if not form.is_valid():
        said = gettext("Say briefly why, so that it can be fixed.")
        return _handoff_page(request, handoff_id, rights, said=said, status=422)
    comment = form.cleaned_data["comment"]
    return _after(request, handoff_id, rights, lambda who: approvals.reject(**who, comment=comment))


@workspace("POST")
def cancel(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    _, rights = handoff_to_write(request, handoff_id)
    return _after(request, handoff_id, rights, lambda who: work.cancel(**who))


@workspace("GET")
def undo_preview(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    """What would be undone, and what could not, read from Procore now."""
    handoff, _ = handoff_to_write(request, handoff_id)
    client = viewer_client(request.company.id, request.viewer.remote_user_id)
    steps = undoing.preview(client, handoff)
    context = {
        "handoff": handoff,
        "restored": [step for step in steps if step.kind in {"restore", "delete"}],
        "stays": [step for step in steps if step.kind == "stays"],
        "with_costs": [s for s in steps if s.kind == "stays" and s.line and not s.line.deletable],
        "apart": request.company.duties_apart,
        "asked": handoff.undo_request == UndoRequest.OPEN,
        "mine": handoff.undo_asked_by == request.viewer.actor,
    }
    return render(request, "handoffs/_undo.html", context)


@workspace("POST")
def undo(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    _, rights = handoff_to_write(request, handoff_id)
    form = UndoForm(request.POST)
    zero = form.is_valid() and form.cleaned_data["zero"]
    return _after(
        request, handoff_id, rights, lambda _who: _begin(request, handoff_id, Task.UNDO, zero=zero)
    )


@workspace("POST")
def ask_undo(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    """With separation of duties, another person carries out the undo that this one requests."""
    _, rights = handoff_to_write(request, handoff_id)
    form = UndoRequestForm(request.POST)
    asked = form.cleaned_data if form.is_valid() else {}
    wish = {"comment": asked.get("comment", ""), "zero": asked.get("zero", False)}
    return _after(request, handoff_id, rights, lambda who: requests.request_undo(**who, **wish))


@workspace("POST")
def withdraw_undo(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    """Also for a person who has lost the right to edit the budget since they requested it."""
    _, rights = handoff_for(request, handoff_id)
    return _after(request, handoff_id, rights, lambda who: requests.withdraw_undo(**who))


@workspace("POST")
def decline_undo(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    _, rights = handoff_to_write(request, handoff_id)
    form = CommentForm(request.POST)
    comment = form.cleaned_data["comment"] if form.is_valid() else ""
    return _after(
        request, handoff_id, rights, lambda who: requests.decline_undo(**who, comment=comment)
    )


@workspace("GET")
def report(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    handoff, _ = handoff_for(request, handoff_id)
    names = names_in(request.company.id)
    with tenant(request.company.id):
        content = report_pdf(handoff, company=request.company.name, names=names)
        note(Event.HANDOFF_EXPORTED, handoff, request.viewer.actor)
    return _download(content, "application/pdf", f"{_file_name(handoff)}.pdf")


@workspace("GET")
def workbook(request: ViewerRequest, handoff_id: UUID) -> HttpResponse:
    handoff, _ = handoff_for(request, handoff_id)
    with tenant(request.company.id):
        content = diff_workbook(handoff)
        note(Event.HANDOFF_EXPORTED, handoff, request.viewer.actor)
    return _download(content, WORKBOOK, f"{_file_name(handoff)}.xlsx")


def _begin(request: ViewerRequest, handoff_id: UUID, task: Task, *, zero: bool = False) -> None:
    rights = work.Actor(request.viewer.remote_user_id, request.viewer.actor)
    work.begin(
        company_id=request.company.id, handoff_id=handoff_id, task=task, rights=rights, zero=zero
    )
    enqueue(handoff_id)


def _after(request: ViewerRequest, handoff_id: UUID, rights: Rights, act: Any) -> HttpResponse:
    """Acts and shows the handoff; a refusal is shown above it."""
    who = {
        "company_id": request.company.id,
        "handoff_id": handoff_id,
        "actor": request.viewer.actor,
    }
    try:
        act(who)
    except HandoffError as error:
        return _handoff_page(request, handoff_id, rights, error=error, status=error.status)
    return _handoff_page(request, handoff_id, rights)


def _estimates_page(request: ViewerRequest, project_id: int, rights: Rights) -> HttpResponse:
    company_id = request.company.id
    with tenant(company_id):
        page = Paginator(estimates_of(company_id, project_id), ESTIMATES_A_PAGE).get_page(
            request.GET.get("page")
        )
        newest = newest_by_estimate(company_id, [estimate.id for estimate in page])
        rows = [{"estimate": estimate, "handoff": newest.get(estimate.id)} for estimate in page]
        context = {
            "project": _project(company_id, project_id),
            "page": page,
            "rows": rows,
            "rights": rights,
            "actor": request.viewer.actor,
            "names": names_in(company_id),
            "waiting": list(waiting_for_approval(company_id, [project_id])),
            "to_take_back": list(waiting_for_undo(company_id, [project_id])),
            "readings": (readings := unfinished(company_id, project_id)),
            "unread": [each for each in readings if each.state == ReadingState.WAITING],
            "largest": LARGEST_FILE // 1024 // 1024,
        }
    return render(request, "handoffs/_estimates.html", context)


def _handoff_page(
    request: ViewerRequest,
    handoff_id: UUID,
    rights: Rights,
    *,
    error: TiebackError | None = None,
    said: str = "",
    status: int = 200,
) -> HttpResponse:
    form = RowsForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    company = request.company
    with tenant(company.id):
        handoff = handoff_or_error(handoff_id)
        show = asked.get("show") or ""
        page = Paginator(rows_of(handoff, action=show), ROWS_A_PAGE).get_page(asked.get("page"))
        mine = handoff.submitted_by == request.viewer.actor
        context = {
            "handoff": handoff,
            "estimate": handoff.estimate,
            "project": _project(company.id, handoff.project_id),
            "rights": rights,
            "error": error,
            "said": said,
            "counts": counts(handoff),
            "totals": planned_totals(handoff),
            "divisions": divisions(handoff),
            "hindrances": hindrances(handoff),
            "stale": handoff.estimate_version != handoff.estimate.version,
            "progress": progress(handoff),
            "drift": drift(handoff) if handoff.state in WRITTEN else [],
            "show": show,
            "page": page,
            "paging": f"&show={show}" if show else "",
            "rows": list(page),
            "names": names_in(company.id),
            "may_approve": rights.edits_budget and not (company.duties_apart and mine),
            "apart": company.duties_apart,
            "mine": mine,
            "undo_mine": handoff.undo_asked_by == request.viewer.actor,
            "written": handoff.state in WRITTEN,
            "working": handoff.state in WORKING,
        }
    return render(request, "handoffs/_handoff.html", context, status=status)


def _project(company_id: int, project_id: int) -> Project:
    """Inside tenant(). Raises ProjectHidden."""
    found = Project.objects.filter(company_id=company_id, remote_id=project_id).first()
    if found is None:
        raise ProjectHidden
    return found


def _file_name(handoff: Handoff) -> str:
    return f"handoff-{handoff.created_at:%Y-%m-%d}"


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": disposition})
