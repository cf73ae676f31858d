"""An estimate in the frame: the file, what was recognised, and where its lines go."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from integrations.procore.resources.projects import Project
from partner_app.core.bodies import takes_file
from partner_app.core.errors import TiebackError
from partner_app.embedded.decorators import ViewerRequest, framed, viewer_required
from partner_app.estimates.access import budget_rights, estimate_for, estimate_to_change
from partner_app.estimates.errors import FileUnreadable, ReadingError, SplitUneven
from partner_app.estimates.forms import (
    MOST_SHARES,
    AnswerForm,
    ChooseForm,
    CodesForm,
    GroupForm,
    ListForm,
    UploadForm,
)
from partner_app.estimates.mapping.decide import accept_suggestions, choose_codes, open_again
from partner_app.estimates.mapping.suggest import PRESELECTED
from partner_app.estimates.models import Estimate
from partner_app.estimates.reading.layout import Column
from partner_app.estimates.selectors import (
    choices,
    columns_of,
    filled,
    groups,
    names_of,
    preview,
    problems,
    standing,
)
from partner_app.estimates.services import (
    LARGEST_FILE,
    answer,
    estimate_or_error,
    replace_file,
    take_estimate,
)
from partner_app.tenancy.context import tenant

GROUPS_A_PAGE = 25
PROBLEMS_SHOWN = 50


@takes_file(LARGEST_FILE)
@framed
@require_POST
@viewer_required
def upload(request: ViewerRequest, project_id: int) -> HttpResponse:
    """A new estimate, or the revision of one. What cannot be read is refused with its why."""
    budget_rights(request, project_id)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        raise FileUnreadable(file=_("The file"), reason=_("none was given, or it is empty"))
    name, content = _uploaded(form)
    estimate_id = take_estimate(
        company_id=request.company.id,
        project_id=project_id,
        name=name,
        content=content,
        actor=request.viewer.actor,
        revision_of=form.cleaned_data["revision_of"],
    )
    return _estimate_page(request, estimate_id)


@framed
@require_GET
@viewer_required
def estimate_page(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    estimate_for(request, estimate_id)
    return _estimate_page(request, estimate_id)


@framed
@require_POST
@viewer_required
def answer_question(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """Which part, which column, what stands in a cell: the file is read once more with it."""
    estimate_to_change(request, estimate_id)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _estimate_page(request, estimate_id, status=422)
    given = form.cleaned_data
    column = Column(given["column"]) if given["column"] else None
    try:
        answer(
            company_id=request.company.id,
            estimate_id=estimate_id,
            part=given["part"] or None,
            sheet=given["sheet"] or None,
            columns={column: given["place"]} if column and given["place"] is not None else None,
            cell=(given["row"], column, given["text"]) if column and given["row"] else None,
            leave_out=given["leave_out"],
            take_back=given["take_back"],
        )
    except ReadingError as error:
        return _estimate_page(request, estimate_id, error=error, status=error.status)
    return _estimate_page(request, estimate_id)


@takes_file(LARGEST_FILE)
@framed
@require_POST
@viewer_required
def new_file(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """The file mended at its source; what was decided for its lines stays."""
    estimate_to_change(request, estimate_id)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        name, content = _uploaded(form)
        try:
            replace_file(
                company_id=request.company.id,
                estimate_id=estimate_id,
                name=name,
                content=content,
                actor=request.viewer.actor,
            )
        except ReadingError as error:
            return _estimate_page(request, estimate_id, error=error, status=error.status)
    return _estimate_page(request, estimate_id)


@framed
@require_GET
@viewer_required
def mapping(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    estimate_for(request, estimate_id)
    return _mapping_page(request, estimate_id)


@framed
@require_POST
@viewer_required
def choose(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """All lines of one group to a code, or shared out. Gives the group's row back."""
    estimate_to_change(request, estimate_id)
    form = ChooseForm(request.POST)
    error: TiebackError | None = None
    if form.is_valid():
        try:
            choose_codes(
                company_id=request.company.id,
                estimate_id=estimate_id,
                groups=[form.cleaned_data["group"]],
                shares=form.shares(),
                actor=request.viewer.actor,
            )
        except ValidationError:
            error = SplitUneven(total="?")
        except ReadingError as refused:
            error = refused
    return _group_row(request, estimate_id, request.POST.get("group", ""), error)


@framed
@require_POST
@viewer_required
def accept(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """Everything that is sure enough, at one click."""
    estimate_to_change(request, estimate_id)
    accept_suggestions(
        company_id=request.company.id,
        estimate_id=estimate_id,
        actor=request.viewer.actor,
        at_least=PRESELECTED,
    )
    return _mapping_page(request, estimate_id)


@framed
@require_POST
@viewer_required
def reopen(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    estimate_to_change(request, estimate_id)
    form = GroupForm(request.POST)
    if form.is_valid():
        open_again(
            company_id=request.company.id,
            estimate_id=estimate_id,
            group=form.cleaned_data["group"],
            actor=request.viewer.actor,
        )
    return _group_row(request, estimate_id, request.POST.get("group", ""), None)


@framed
@require_GET
@viewer_required
def codes(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """WBS codes that fit what was typed, to be chosen for a group."""
    estimate = estimate_for(request, estimate_id)
    form = CodesForm(request.GET)
    found = []
    if form.is_valid():
        with tenant(request.company.id):
            found = choices(estimate, form.cleaned_data["q"])
    context = {"estimate": estimate, "choices": found, "group": request.GET.get("group", "")}
    return render(request, "estimates/_codes.html", context)


def _uploaded(form: UploadForm) -> tuple[str, bytes]:
    file = form.cleaned_data["file"]
    if file.size > LARGEST_FILE:
        raise FileUnreadable(file=file.name, reason=_("it is larger than 50 MB"))
    return str(file.name), bytes(file.read())


def _estimate_page(
    request: ViewerRequest,
    estimate_id: UUID,
    *,
    error: TiebackError | None = None,
    status: int = 200,
) -> HttpResponse:
    with tenant(request.company.id):
        estimate = estimate_or_error(estimate_id)
        found = problems(estimate)
        context = {
            **_head(request, estimate),
            "error": error,
            "columns": columns_of(estimate),
            "preview": preview(estimate),
            "problems": list(found[:PROBLEMS_SHOWN]),
            "problem_count": found.count(),
            "largest": LARGEST_FILE // 1024 // 1024,
        }
    return render(request, "estimates/_estimate.html", context, status=status)


def _mapping_page(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    form = ListForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    show, text = asked.get("show") or "open", asked.get("q") or ""
    with tenant(request.company.id):
        estimate = estimate_or_error(estimate_id)
        head = _head(request, estimate)
        pages = Paginator(groups(estimate, only_open=show == "open", text=text), GROUPS_A_PAGE)
        if not text:  # the count is known already
            known = head["standing"]
            pages.count = known.open_groups if show == "open" else known.groups
        page = pages.get_page(asked.get("page"))
        context = {
            **head,
            "show": show,
            "text": text,
            "page": page,
            "paging": "&" + urlencode({"show": show, "q": text}),
            "groups": filled(estimate, page),
            "names": names_of(estimate),
            "shares": range(1, MOST_SHARES + 1),
        }
    return render(request, "estimates/_mapping.html", context)


def _group_row(
    request: ViewerRequest, estimate_id: UUID, group: str, error: TiebackError | None
) -> HttpResponse:
    """One group as it is now, and beside it how far the whole estimate is."""
    with tenant(request.company.id):
        estimate = estimate_or_error(estimate_id)
        rows = groups(estimate, only_open=False).filter(group=group)
        found = filled(estimate, rows)
        context = {
            **_head(request, estimate),
            "row": found[0] if found else None,
            "error": error,
            "names": names_of(estimate),
            "shares": range(1, MOST_SHARES + 1),
        }
    return render(request, "estimates/_group_answer.html", context)


def _head(request: ViewerRequest, estimate: Estimate) -> dict[str, Any]:
    """Inside tenant(). What all steps of an estimate show."""
    project = Project.objects.filter(
        company_id=request.company.id, remote_id=estimate.project_id
    ).first()
    return {"estimate": estimate, "project": project, "standing": standing(estimate)}
