"""The frame's shell, sign-in, installation, and their common callback."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.procore.resources.registry import data_inventory
from integrations.procore.sync.tasks import discover_soon
from partner_app.connections.authorize import (
    choices,
    complete,
    consume_state,
    keep_for_choice,
    start_sign_in,
    waiting_choice,
)
from partner_app.connections.errors import SignInRefused
from partner_app.connections.models import Purpose
from partner_app.core.errors import TiebackError
from partner_app.core.logging import log
from partner_app.core.secrets import random_secret
from partner_app.core.templatetags.show import message
from partner_app.embedded.decorators import ViewerRequest, framed, workspace
from partner_app.embedded.errors import (
    CodeRefused,
    PairingRefused,
    RenewalRefused,
    SignedOutEverywhere,
)
from partner_app.embedded.forms import (
    CompanyForm,
    FrameForm,
    PairingConfirmForm,
    PairingForm,
    RenewalForm,
    SessionForm,
    SignInForm,
)
from partner_app.embedded.install import Welcome, connect_company, sign_viewer_in
from partner_app.embedded.pairing import collect, confirm_pairing, start_pairing
from partner_app.embedded.session import (
    SILENCE,
    Opened,
    close_session,
    name_of,
    open_session,
    renew,
    sign_out_everywhere,
)
from partner_app.tenancy.lifecycle import company_or_error

# Texts for the frame's scripts, in the reader's language.
SAID_BY_SCRIPTS = {
    "loading": _("Loading…"),
    "unreachable": _("Tieback cannot be reached at the moment."),
    "preparing": _("Preparing the file…"),
    "no_file": _("The file could not be created. Please try again."),
    "copied": _("Link copied."),
    "waiting": _("Waiting for the sign-in window…"),
    "closed": _(
        "The window was closed, or your browser blocked it. Allow pop-ups for Tieback and try "
        "again."
    ),
    "not_completed": _("The sign-in could not be completed. Please try again."),
}
# Only in the top-level pop-up or page, never in the frame.
BROWSER_COOKIE = f"{settings.COOKIE_PREFIX}tieback_sign_in"
COOKIE_AGE = 600  # seconds


@framed
@require_GET
def shell(request: HttpRequest) -> HttpResponse:
    """The same page for everyone: it holds nothing of any company."""
    return render(request, "embedded/shell.html", {**_frame(request), "panel": False})


@framed
@require_GET
def panel_shell(request: HttpRequest) -> HttpResponse:
    return render(request, "embedded/shell.html", {**_frame(request), "panel": True})


@framed
@require_POST
def session(request: HttpRequest) -> HttpResponse:
    """Exchanges the frame's nonce and the pop-up's code for a bearer."""
    form = SessionForm(request.POST)
    if not form.is_valid():
        return _refusal(request, CodeRefused())
    try:
        return _opened(open_session(**form.cleaned_data))
    except TiebackError as error:
        return _refusal(request, error)


@framed
@require_POST
def renewal(request: HttpRequest) -> HttpResponse:
    """After a reload, where the browser let the frame keep a secret: no pop-up is needed."""
    form = RenewalForm(request.POST)
    if not form.is_valid():
        return _refusal(request, RenewalRefused())
    try:
        return _opened(renew(form.cleaned_data["renewal"]))
    except TiebackError as error:
        return _refusal(request, error)


@framed
@require_POST
def pairing(request: HttpRequest) -> HttpResponse:
    """A code for the frame to show, or with `collect` the session that its confirmation opened."""
    form = PairingForm(request.POST)
    if not form.is_valid():
        return _refusal(request, CodeRefused())
    nonce = form.cleaned_data["nonce"]
    if not form.cleaned_data["collect"]:
        return JsonResponse({"code": start_pairing(nonce=nonce)})
    try:
        found = collect(nonce=nonce)
    except TiebackError as error:
        return _refusal(request, error)
    return _opened(found) if found else HttpResponse(status=204)


@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """In the pop-up that has lost its opener: the person types the code shown in the frame."""
    form = PairingConfirmForm(request.POST)
    if not form.is_valid():
        raise PairingRefused
    try:
        confirm_pairing(**form.cleaned_data)
    except PairingRefused as error:
        again = {"sign_in_code": form.cleaned_data["sign_in_code"], "error": error}
        return render(request, "install/confirm.html", again, status=422)
    return render(request, "install/confirmed.html")


@framed
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    close_session(request.headers.get("Authorization", ""))
    return HttpResponse(status=204)


@workspace("POST")
def sign_out_all(request: ViewerRequest) -> HttpResponse:
    """All windows of this person at this company."""
    sign_out_everywhere(request.viewer)
    raise SignedOutEverywhere


@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    """Opened by the frame in a pop-up: top-level, so its cookie is first-party."""
    form = SignInForm(request.GET)
    if not form.is_valid():
        return redirect("install")
    return _to_procore(
        request, Purpose.VIEW, form.cleaned_data["nonce"], form.cleaned_data["company_id"]
    )


@require_http_methods(["GET", "POST"])
def install(request: HttpRequest) -> HttpResponse:
    """Shows what will be read and why; a POST continues to Procore."""
    if request.method == "POST":
        return _to_procore(request, Purpose.INSTALL, "", None)
    return render(request, "install/start.html", {"inventory": data_inventory()})


@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """The companies for which this person may install; one is preselected."""
    signed_in = waiting_choice(browser=request.COOKIES.get(BROWSER_COOKIE, ""))
    if request.method == "POST":
        form = CompanyForm(request.POST)
        if form.is_valid():
            welcome = connect_company(signed_in, company_id=form.cleaned_data["company_id"])
            return _welcome_page(request, welcome, installed=True)
    found = choices(signed_in)
    first = next(choice.company_id for choice in found if not choice.obstacle)
    context = {"choices": found, "first": first, "person": signed_in.person}
    return render(request, "install/choose.html", context)


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Procore redirects people here, whether for a sign-in or an installation."""
    attempt = consume_state(
        request.GET.get("state", ""), browser=request.COOKIES.get(BROWSER_COOKIE, "")
    )
    if "error" in request.GET or "code" not in request.GET:
        raise SignInRefused
    signed_in = complete(attempt, code=request.GET["code"])
    if attempt.purpose == Purpose.VIEW:
        welcome = sign_viewer_in(signed_in)
        if welcome:
            return _welcome_page(request, welcome, installed=False)
    keep_for_choice(signed_in)
    # Redirects away from the address with the code in it.
    return redirect("install-choose")


def _opened(found: Opened) -> JsonResponse:
    company = company_or_error(found.viewer.company_id)
    return JsonResponse(
        {
            "token": found.token,
            "renewal": found.renewal,
            "expires_in": int(SILENCE.total_seconds()),
            "viewer": name_of(found.viewer),
            "company": company.name,
        }
    )


def _refusal(request: HttpRequest, error: TiebackError) -> JsonResponse:
    log.info("request.refused", code=error.code, path=request.path)
    return JsonResponse({"error": error.code, "message": message(error)}, status=error.status)


def _frame(request: HttpRequest) -> dict[str, object]:
    """The parameters of Procore's frame, and the origins whose messages the panel trusts."""
    form = FrameForm(request.GET)
    hints = form.cleaned_data if form.is_valid() else {}
    if hints.get("company_id"):
        discover_soon(hints["company_id"])
    return {"hints": hints, "hosts": " ".join(settings.FRAME_ANCESTORS), "words": SAID_BY_SCRIPTS}


def _welcome_page(request: HttpRequest, welcome: Welcome, *, installed: bool) -> HttpResponse:
    return render(request, "install/welcome.html", {"welcome": welcome, "installed": installed})


def _to_procore(
    request: HttpRequest, purpose: Purpose, nonce: str, company_hint: int | None
) -> HttpResponseRedirect:
    browser = request.COOKIES.get(BROWSER_COOKIE) or random_secret()
    address = start_sign_in(
        purpose=purpose, browser=browser, nonce=nonce, company_hint=company_hint
    )
    response = HttpResponseRedirect(address)
    response.set_cookie(
        BROWSER_COOKIE,
        browser,
        max_age=COOKIE_AGE,
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )
    return response
