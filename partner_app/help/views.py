"""Help pages for anyone, a question to support from within the frame, and the partner's list."""

from django.conf import settings
from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from partner_app.accounts.decorators import AdminRequest, role_required
from partner_app.accounts.models import Role
from partner_app.core.limits import check
from partner_app.core.listing import page_of
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.help.forms import QuestionForm
from partner_app.help.models import SupportRequest
from partner_app.help.pages import contents, page
from partner_app.help.services import ask_support, mark_answered

QUESTIONS = 25  # a page
ASKED = "5/10m"  # by one person: each sends a mail


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "help/index.html", {"contents": contents()})


@require_GET
def help_page(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "help/page.html", {"page": page(slug), "contents": contents()})


@require_GET
def support_page(request: HttpRequest) -> HttpResponse:
    return render(request, "public/support.html", {"address": settings.SUPPORT_EMAIL})


@workspace("GET")
def in_frame(request: ViewerRequest) -> HttpResponse:
    """The contents, and the form for a question."""
    context = {"contents": contents(), "form": QuestionForm(), "address": settings.SUPPORT_EMAIL}
    return render(request, "help/_help.html", context)


@workspace("POST")
def ask(request: ViewerRequest) -> HttpResponse:
    form = QuestionForm(request.POST)
    if form.is_valid():
        check(request, "ask", f"{request.company.id}:{request.viewer.remote_user_id}", ASKED)
    asked = None
    if form.is_valid():
        given = form.cleaned_data
        asked = ask_support(
            request.viewer, text=given["text"], page=given["page"], consent=given["consent"]
        )
    context = {
        "contents": contents(),
        "form": form,
        "asked": asked,
        "address": settings.SUPPORT_EMAIL,
    }
    return render(request, "help/_help.html", context, status=200 if asked else 422)


@require_GET
@role_required(Role.SUPPORT)
def requests(request: AdminRequest) -> HttpResponse:
    """Open ones first, the newest of each first."""
    found = SupportRequest.objects.select_related("company")
    newest = found.order_by(F("answered_at").desc(nulls_first=True), "-asked_at", "-id")
    return render(request, "dashboard/support.html", page_of(request, newest, size=QUESTIONS))


@require_POST
@role_required(Role.SUPPORT)
def answered(request: AdminRequest, request_id: int) -> HttpResponse:
    mark_answered(request_id, by=request.admin.user.get_username())
    messages.success(request, "Marked as answered.")
    return redirect("support-requests")
