"""How long a partner admin stays signed in: half an hour of inactivity, eight hours at most.

Automatic page refreshes are not a sign of a person, so they do not prolong a session.
"""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from partner_app.core import clock

SILENCE = timedelta(minutes=30).total_seconds()
LONGEST = timedelta(hours=8).total_seconds()
EACH = 60  # seconds between two writes of the time of the last activity
SINCE, SEEN = "signed_in_at", "seen_at"  # in the session, seconds since 1970


def note_signed_in(request: HttpRequest) -> None:
    now = int(clock.now().timestamp())
    request.session[SINCE] = request.session[SEEN] = now


class SessionLifetime:
    """Middleware, after the one that identifies the user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        by_itself = request.headers.get("HX-Request") == "true"
        if _is_over(request, counts=not by_itself):
            logout(request)
            if by_itself:
                # The page reloads, so that what it showed does not stay on the screen.
                return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        response = self.get_response(request)
        if request.method == "POST" and request.path == reverse("account_logout"):
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response


def _is_over(request: HttpRequest, *, counts: bool) -> bool:
    """Skips requests without the cookie: responses in the frame must not depend on it."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return False
    now = clock.now().timestamp()
    since, seen = request.session.get(SINCE, 0), request.session.get(SEEN, 0)
    if now - since > LONGEST or now - seen > SILENCE:
        return True
    if counts and now - seen > EACH:
        request.session[SEEN] = int(now)
    return False
