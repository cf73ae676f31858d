"""Writes everything that a Marketplace listing needs, and lists what is missing."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.template.loader import render_to_string

from integrations.procore.api.asked import asked
from integrations.procore.api.manifest import Level
from integrations.procore.api.operations import OPERATIONS, OperationUnlisted, operation_of
from integrations.procore.resources.registry import RESOURCES, data_inventory
from partner_app.marketplace.configuration import (
    CACHE,
    NAME,
    VIEW_KEYS,
    as_markdown,
    checklist,
    shown_views,
)
from partner_app.marketplace.questionnaire import ANSWERS, answers_as_markdown, missing_tests

CONTENT = Path(__file__).parent / "content"
ROOT = Path(settings.ROOT)
IMAGES = ROOT / "docs" / "images"
GUIDES = ("install", "first-steps", "hand-off", "mapping", "undo", "exceptions", "troubleshooting")
LISTING_PARTS = (
    "Tagline", "Summary", "Description", "Categories", "What you need", "What it reads and writes",
    "Regions and languages", "Support",
)  # fmt: skip
LONGEST = {"Tagline": 100, "Summary": 300}  # characters
SCREENSHOTS = {
    "company-home-1440.png": "What is about to cost money, across all projects",
    "exceptions-1440.png": "Exceptions, the largest first",
    "insights-1440.png": "Charts with their tables and sources",
    "handoff-mapping-1440.png": "Lines of an estimate find their WBS codes",
    "handoff-plan-1440.png": "Every amount before and after",
    "handoff-done-1440.png": "The budget equals the estimate",
    "panel-400.png": "What depends on an RFI, beside it",
}
POLICIES = {
    "privacy": ("public/privacy.html", ("encrypted", "deleted", "copy", "train")),
    "terms": ("public/terms.html", ("approval",)),
    "support": ("public/support.html", ("8:00 to 18:00", "Deleting your data")),
}
PNG = b"\x89PNG"
_PART = re.compile(r"^## (.+?)\n\n(.*?)(?=\n## |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Requirement:
    """One requirement of Procore's review. `detail` says what is missing."""

    name: str
    ok: bool
    detail: str


def write_kit(folder: Path) -> dict[str, Any]:
    """`{"ok", "checklist", "files", "requirements", "missing"}`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = checklist(_content("post-install.md"))
    files = {
        "configuration.md": as_markdown(entries),
        "listing.md": _content("listing.md"),
        "post-install.md": _content("post-install.md"),
        "screenshots.json": _json(
            [{"file": f"docs/images/{name}", "caption": text} for name, text in SCREENSHOTS.items()]
        ),
        "security-questionnaire.md": answers_as_markdown(),
        "data-inventory.json": _json(data_inventory()),
        **{f"{name}.html": _policy(name) for name in POLICIES},
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    found = requirements()
    (folder / "requirements.json").write_text(_json([asdict(each) for each in found]))
    missing = [f"{each.name}: {each.detail}" for each in found if not each.ok]
    return {
        "ok": not missing,
        "checklist": [asdict(entry) for entry in entries],
        "files": sorted([*files, "requirements.json"]),
        "requirements": [asdict(each) for each in found],
        "missing": missing,
    }


def requirements() -> list[Requirement]:
    """Procore's rules for apps.

    https://developers.procore.com/documentation/marketplace-checklist
    """
    checks: tuple[tuple[str, Callable[[], list[str]]], ...] = (
        ("Least privilege", _too_much),
        ("Permissions are those of the operations called", _unlisted),
        ("Every operation has its reason", lambda: [o.key for o in OPERATIONS if not o.why]),
        ("Side panel views", lambda: sorted({*VIEW_KEYS} - {*shown_views()})),
        ("Listing texts", _listing),
        ("Listing says what is held", _cache),
        ("Name apart from Procore's brand", _brand),
        ("Post-installation notes", lambda: _absent(CONTENT / "post-install.md")),
        ("Guides", lambda: [m for slug in GUIDES for m in _absent(_guide(slug))]),
        ("Screenshots", _screenshots),
        ("Policies", _policies),
        ("Data inventory with purposes", _inventory),
        ("Security answers backed by tests", _answers),
    )
    found = []
    for name, check in checks:
        missing = check()
        found.append(Requirement(name, not missing, "; ".join(missing)))
    return found


def _too_much() -> list[str]:
    return [
        f"{each.tool}: {each.level.label}"
        for each in asked()
        if each.level is Level.ADMIN
        or (each.level is Level.STANDARD and each.tool != "Webhooks API")
    ]


def _unlisted() -> list[str]:
    """Differences between the resources' descriptions and the list of operations."""
    found = []
    for name, model in RESOURCES.items():
        for source in model.spec.sources:
            places = dict.fromkeys(("company_id", "project_id", "parent_id", "via"), "1")
            try:
                operation_of("GET", source.path.format(**places))
            except OperationUnlisted as error:
                found.append(f"{name}: {error}")
    return found


def _listing() -> list[str]:
    parts = dict(_PART.findall(_content("listing.md")))
    gone = [f"{name} is missing" for name in LISTING_PARTS if not parts.get(name, "").strip()]
    return gone + [
        f"{name} is longer than {most} characters"
        for name, most in LONGEST.items()
        if len(parts.get(name, "").strip()) > most
    ]


def _brand() -> list[str]:
    return ["the name holds “Procore”"] if "procore" in NAME.casefold() else []


def _cache() -> list[str]:
    text = " ".join(_content("listing.md").split())
    return [] if CACHE in text else ["the sentence about a scoped operational cache is missing"]


def _guide(slug: str) -> Path:
    return ROOT / "docs" / "users" / f"{slug}.md"


def _absent(path: Path) -> list[str]:
    there = path.exists() and path.read_text().strip()
    return [] if there else [f"{path.relative_to(ROOT)} is missing or empty"]


def _screenshots() -> list[str]:
    return [
        f"docs/images/{name} is missing"
        for name in SCREENSHOTS
        if not (IMAGES / name).exists() or not (IMAGES / name).read_bytes().startswith(PNG)
    ]


def _policies() -> list[str]:
    return [
        f"{name} does not speak of “{word}”"
        for name, (_, words) in POLICIES.items()
        for word in words
        if word not in _policy(name)
    ]


def _policy(name: str) -> str:
    return render_to_string(POLICIES[name][0], {"address": settings.SUPPORT_EMAIL})


def _inventory() -> list[str]:
    return [f"{row['resource']}.{row['field']}" for row in data_inventory() if not row["purpose"]]


def _answers() -> list[str]:
    empty = [answer.question for answer in ANSWERS if not answer.tests]
    return empty + [f"{test} does not exist" for test in missing_tests()]


def _content(name: str) -> str:
    path = CONTENT / name
    return path.read_text() if path.exists() else ""


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
