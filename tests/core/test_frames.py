"""Which origins may frame us: here in Python, and the same cases in a browser."""

import pytest

from partner_app.core.environments import environment_of, web_origin
from partner_app.core.frames import allows, ancestor

ANCESTORS = ("https://*.procore.com", "https://frame.example:8443", "http://*.localhost:8000")
ALLOWED = (
    "https://app.procore.com", "https://us02.procore.com", "https://a.b.procore.com",
    "https://frame.example:8443", "http://procore.localhost:8000",
)  # fmt: skip
REFUSED = (
    "", "null", "https://procore.com", "https://evilprocore.com", "https://evil-procore.com",
    "https://app.procore.com.evil.example", "http://app.procore.com", "https://.procore.com",
    "https://app.procore.com:8443", "https://app..procore.com", "https://evil.example/.procore.com",
    "https://evil.example?.procore.com", "https://evil@app.procore.com", "https://frame.example",
    "https://other.frame.example:8443", "http://localhost:8000", "http://procore.localhost:8001",
    "https://*.procore.com", "https://app\n.procore.com",
)  # fmt: skip


@pytest.mark.parametrize("origin", ALLOWED)
def test_an_origin_below_a_wildcard_or_named_exactly_may_frame_us(origin: str) -> None:
    assert allows(ANCESTORS, origin)


@pytest.mark.parametrize("origin", REFUSED)
def test_one_that_only_looks_like_it_may_not(origin: str) -> None:
    assert not allows(ANCESTORS, origin)


@pytest.mark.parametrize(
    "text",
    [
        "", "*", "https://*", "https://*.com", "https://a.*.com", "https://*procore.com",
        "https://app.procore.com/path", "https://name:word@procore.com", "'self'",
        "https://procore.com;script-src", "https://procore.com?", "https://app..procore.com",
        "app.procore.com", "https://procore.com:99999", "https://procore.com:", "ftp://procore.com",
        "https://-a.com",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        ancestor(text)


def test_an_origin_is_kept_as_a_browser_writes_it() -> None:
    assert ancestor("https://APP.Procore.com:443/") == "https://app.procore.com"
    assert ancestor("http://*.localhost:8000") == "http://*.localhost:8000"


@pytest.mark.parametrize(
    ("login", "api", "ancestors", "web"),
    [
        ("login.procore.com", "api.procore.com", ["https://*.procore.com"], "app.procore.com"),
        (
            "login.procore.com", "api.procore.com",
            ["https://us02.procore.com", "https://app.procore.com"], "app.procore.com",
        ),
        ("login.procore.com", "api.procore.com", ["https://uk01.procore.com"], "uk01.procore.com"),
        (
            "login.procoregov.com", "api.procoregov.com",
            ["https://*.procoregov.com", "https://portal.procoregov.com"], "portal.procoregov.com",
        ),
    ],
)  # fmt: skip
def test_links_lead_to_the_environments_own_web_address(
    login: str, api: str, ancestors: list[str], web: str
) -> None:
    found = environment_of(f"https://{login}", f"https://{api}")
    assert web_origin(found, ancestors) == f"https://{web}"
