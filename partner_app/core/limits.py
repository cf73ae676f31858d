"""How often an address or a company may call, and how much it may send."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django_ratelimit.core import is_ratelimited
from redis.exceptions import RedisError

from partner_app.core.broker import reachable
from partner_app.core.client_ip import client_address
from partner_app.core.errors import Blame, TiebackError
from partner_app.core.http import refuse
from partner_app.core.i18n import gettext_noop
from partner_app.core.logging import log

# Where a guess could pay, or where each request costs us a call to Procore.
GUARDED = (
    "/embedded/session/",
    "/embedded/renewal/",
    "/embedded/pairing/",
    "/embedded/sign-in/",
    "/oauth/",
    "/install/",
    "/accounts/",
)
BY_ADDRESS = "120/m"  # an office behind one address; the pairing alone polls 30 times a minute
BY_COMPANY = "1200/m"


class TooOften(TiebackError):
    code = "limit.too_often"
    user_message = gettext_noop("Too many requests in a short time.")
    remedy = gettext_noop("Wait a minute, then try again.")
    blame = Blame.TENANT
    transient = True
    status = 429


class AddressLimit:
    """Middleware: answers instead of the view where an address has called too often."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        if not request.path.startswith(GUARDED):
            return None
        try:
            check(request, "address", client_address(request), BY_ADDRESS)
        except TooOften as error:
            return refuse(request, error)
        return None


def check_company(request: HttpRequest, company_id: int) -> None:
    """Raises TooOften."""
    check(request, "company", str(company_id), BY_COMPANY)


def count_stranger(address: str) -> None:
    """Counts a sender without a hook's secret, who may be guessing. Raises TooOften."""
    check(HttpRequest(), "stranger", address, BY_ADDRESS)  # whose content is not read


def check(request: HttpRequest, group: str, key: str, rate: str) -> None:
    """Without its broker the app serves requests uncounted. Raises TooOften."""
    try:
        with reachable():
            over = is_ratelimited(
                request, group=group, key=lambda *_: key, rate=rate, increment=True
            )
    except (RedisError, OSError):
        log.warning("limit.not_counted", group=group)
        return
    if over:
        raise TooOften
