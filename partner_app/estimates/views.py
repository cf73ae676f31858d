"""An estimate in the frame: the file, what was recognised, and the mapping of its lines."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from integrations.procore.resources.projects import Project
from partner_app.core.bodies import takes_file
from partner_app.core.errors import TiebackError
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.estimates import files
from partner_app.estimates.access import (
    budget_rights,
    estimate_for,
    estimate_to_change,
    reading_for,
    reading_to_change,
)
from partner_app.estimates.errors import Refusal, SplitUneven
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
from partner_app.estimates.models import Estimate, FileReading, ReadingState
from partner_app.estimates.selectors import (
    choices,
    columns_of,
    filled,
    groups,
    names_of,
    preview,
    problems,
    standing,
    unfinished,
)
from partner_app.estimates.services import LARGEST_FILE, estimate_or_error
from partner_app.estimates.tasks import enqueue_next
from partner_app.tabular.errors import FileUnreadable, ReadingError
from partner_app.tenancy.context import tenant

GROUPS_A_PAGE = 25
PROBLEMS_SHOWN = 50
PIECE = 1024**2  # bytes of a file in memory at once
PLACE = "Tieback-Place"  # the address for the browser, where it differs from the requested one


@takes_file(LARGEST_FILE)
@workspace("POST")
def upload(request: ViewerRequest, project_id: int) -> HttpResponse:
    """A new estimate, or a revision: a worker reads it, the page polls its progress."""
    budget_rights(request, project_id)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        raise FileUnreadable(file=_("The file"), reason=_("no file was chosen, or it is empty"))
    name, pieces = _uploaded(form)
    reading = files.ask_new(
        company_id=request.company.id,
        project_id=project_id,
        name=name,
        pieces=pieces,
        actor=request.viewer.actor,
        revision_of=form.cleaned_data["revision_of"],
    )
    return _begun(request, reading)


@workspace("GET")
def estimate_page(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    estimate_for(request, estimate_id)
    return _estimate_page(request, estimate_id)


@workspace("POST")
def answer_question(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """An answer about a part, a column or a cell: the file is read again with it."""
    estimate_to_change(request, estimate_id)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _estimate_page(request, estimate_id, status=422)
    reading = files.ask_answer(
        company_id=request.company.id,
        estimate_id=estimate_id,
        given=form.cleaned_data,
        actor=request.viewer.actor,
    )
    return _begun(request, reading)


@takes_file(LARGEST_FILE)
@workspace("POST")
def new_file(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """The corrected file; decisions about its lines are kept."""
    estimate_to_change(request, estimate_id)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _estimate_page(request, estimate_id, status=422)
    name, pieces = _uploaded(form)
    reading = files.ask_file(
        company_id=request.company.id,
        estimate_id=estimate_id,
        name=name,
        pieces=pieces,
        actor=request.viewer.actor,
    )
    return _begun(request, reading)


@workspace("GET")
def reading_page(request: ViewerRequest, reading_id: UUID) -> HttpResponse:
    """Polled each second while the file waits or is read; at the end it shows the result."""
    return _now(request, reading_for(request, reading_id))


@workspace("POST")
def reading_cancel(request: ViewerRequest, reading_id: UUID) -> HttpResponse:
    reading = reading_to_change(request, reading_id)
    files.cancel(reading)
    return _now(request, reading)


@workspace("POST")
def reading_again(request: ViewerRequest, reading_id: UUID) -> HttpResponse:
    """For a cancelled reading, or one whose reader failed. It queues again."""
    reading = reading_to_change(request, reading_id)
    files.read_again(reading)
    return _begun(request, reading)


@workspace("POST")
def reading_discard(request: ViewerRequest, reading_id: UUID) -> HttpResponse:
    reading = reading_to_change(request, reading_id)
    files.discard(reading)
    return _unfinished(request, reading.project_id)


@workspace("GET")
def readings(request: ViewerRequest, project_id: int) -> HttpResponse:
    """Part of the page of the estimates: files that are not an estimate yet."""
    return _unfinished(request, project_id)


@workspace("GET")
def mapping(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    estimate_for(request, estimate_id)
    return _mapping_page(request, estimate_id)


@workspace("POST")
def choose(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """Maps all lines of one group to a code, or splits them. Returns the group's row."""
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


@workspace("POST")
def accept(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """Applies every suggestion with enough confidence, with one click."""
    estimate_to_change(request, estimate_id)
    accept_suggestions(
        company_id=request.company.id,
        estimate_id=estimate_id,
        actor=request.viewer.actor,
        at_least=PRESELECTED,
    )
    return _mapping_page(request, estimate_id)


@workspace("POST")
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


@workspace("GET")
def codes(request: ViewerRequest, estimate_id: UUID) -> HttpResponse:
    """WBS codes that match the typed text, to choose for a group."""
    estimate = estimate_for(request, estimate_id)
    form = CodesForm(request.GET)
    found = []
    if form.is_valid():
        with tenant(request.company.id):
            found = choices(estimate, form.cleaned_data["q"])
    context = {"estimate": estimate, "choices": found, "group": request.GET.get("group", "")}
    return render(request, "estimates/_codes.html", context)


def _uploaded(form: UploadForm) -> tuple[str, Iterator[bytes]]:
    """The file's name, and its content piece by piece."""
    file = form.cleaned_data["file"]
    if file.size > LARGEST_FILE:
        raise FileUnreadable(file=file.name, reason=_("it is larger than 50 MB"))
    return str(file.name), file.chunks(PIECE)


def _begun(request: ViewerRequest, reading: FileReading) -> HttpResponse:
    """Queues a wake-up message, and shows the page that waits for the reading."""
    enqueue_next(request.company.id)
    return _now(request, reading)


def _now(request: ViewerRequest, reading: FileReading) -> HttpResponse:
    with tenant(request.company.id):
        progress = files.progress_of(reading)
        reading.refresh_from_db(fields=["state", "error", "estimate"])
    if progress is None:
        return _ended(request, reading)
    if request.headers.get("HX-Target") == "reading-now":
        return render(request, "estimates/_reading_now.html", {"progress": progress})
    return _reading_page(request, reading, progress)


def _reading_page(
    request: ViewerRequest,
    reading: FileReading,
    progress: files.ReadingProgress | None,
    *,
    status: int = 200,
) -> HttpResponse:
    """With `progress` while it continues, else with the possible actions."""
    with tenant(request.company.id):
        context = {
            "reading": reading,
            "progress": progress,
            "error": reading.refusal,
            "again": files.may_be_read_again(reading),
            "project": _project(request, reading.project_id),
            "largest": LARGEST_FILE // 1024 // 1024,
        }
    response = render(request, "estimates/_reading.html", context, status=status)
    response[PLACE] = f"readings/{reading.id}/"
    return response


def _ended(request: ViewerRequest, reading: FileReading) -> HttpResponse:
    """The estimate, with its refusal where it changes one; or the refusal alone."""
    error = reading.refusal if reading.state == ReadingState.REFUSED else None
    status = error.status if error else 200
    if reading.estimate_id and reading.state != ReadingState.CANCELLED:
        response = _estimate_page(request, reading.estimate_id, error=error, status=status)
        response[PLACE] = f"estimates/{reading.estimate_id}/"
    else:
        response = _reading_page(request, reading, None, status=status)
    # A poll requests a part of the page: at the end it gets the whole.
    response["HX-Retarget"], response["HX-Reswap"] = "#main", "innerHTML"
    return response


def _unfinished(request: ViewerRequest, project_id: int) -> HttpResponse:
    """A viewer of these files waits for them.

    Once none is in progress, the whole page is shown again, also where another page polled.
    """
    rights = budget_rights(request, project_id)
    with tenant(request.company.id):
        found = unfinished(request.company.id, project_id)
        waiting = [reading for reading in found if files.progress_of(reading)]
        context = {
            "project_id": project_id,
            "readings": found,
            "waiting": waiting,
            "rights": rights,
            "actor": request.viewer.actor,
            "ended": request.headers.get("HX-Target") == "main"
            or (request.method == "GET" and not waiting),
        }
    return render(request, "estimates/_unfinished.html", context)


def _project(request: ViewerRequest, project_id: int) -> Project | None:
    """Inside tenant()."""
    rows = Project.objects.filter(company_id=request.company.id, remote_id=project_id)
    return rows.first()


def _estimate_page(
    request: ViewerRequest,
    estimate_id: UUID,
    *,
    error: Refusal | None = None,
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
    """One group as it is now, and beside it the progress of the whole estimate."""
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
    project = _project(request, estimate.project_id)
    return {"estimate": estimate, "project": project, "standing": standing(estimate)}
