"""The help pages: the Markdown files under docs/users/, as HTML."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import Http404
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

FOLDER = Path(settings.ROOT) / "docs" / "users"
# In the order in which a new user needs them.
SLUGS = (
    "walk-install", "walk-hand-off", "walk-exceptions", "install", "first-steps", "hand-off",
    "mapping", "undo", "exceptions", "your-data", "troubleshooting",
)  # fmt: skip
_IMAGE = re.compile(r'src="\.\./images/([^"]+)"')
_LINK = re.compile(r'href="([a-z-]+)\.md(#[^"]*)?"')
_EXAMPLE = re.compile(r'<a href="\.\./[^"]+">(.*?)</a>')


@dataclass(frozen=True)
class HelpPage:
    slug: str
    title: str
    body: SafeString


@cache
def page(slug: str) -> HelpPage:
    """Raises Http404."""
    if slug not in SLUGS:
        raise Http404
    text = (FOLDER / f"{slug}.md").read_text()
    title = text.partition("\n")[0].removeprefix("# ").strip()
    html = MarkdownIt("commonmark").enable("table").render(text)
    html = _IMAGE.sub(lambda found: f'src="{static("help/" + found[1])}" loading="lazy"', html)
    html = _LINK.sub(lambda found: f'href="{_address(found[1])}{found[2] or ""}"', html)
    html = _EXAMPLE.sub(r"\1", html)  # files beside the docs are not served
    html = html.replace("<table>", '<div class="scroll"><table>')
    html = html.replace("</table>", "</table></div>")
    return HelpPage(slug, title, mark_safe(html))  # noqa: S308  # our own files


def contents() -> list[HelpPage]:
    return [page(slug) for slug in SLUGS]


def _address(slug: str) -> str:
    return reverse("help-page", args=[slug]) if slug in SLUGS else reverse("help")
