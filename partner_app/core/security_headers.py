"""Content security, framing and opener policy, by address."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; form-action {forms}; base-uri 'none'; "
    "frame-ancestors {ancestors}"
)
# The pop-up pages post their result to the frame that opened them.
KEEP_OPENER = ("/embedded/", "/oauth/callback/", "/install/")


class SecurityHeaders:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        framed = request.path.startswith("/embedded/")
        ancestors = " ".join(settings.FRAME_ANCESTORS) if framed else "'none'"
        forms = f"'self' {settings.PROCORE.login_url}"
        response["Content-Security-Policy"] = POLICY.format(ancestors=ancestors, forms=forms)
        if not framed:
            response["X-Frame-Options"] = "DENY"
        if not request.path.startswith(KEEP_OPENER):
            response["Cross-Origin-Opener-Policy"] = "same-origin"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if not request.path.startswith("/static/"):
            response.setdefault("Cache-Control", "no-store")
        return response
