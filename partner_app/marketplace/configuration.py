"""The values for Procore's configuration form, in its order: the form accepts no file.

Levels come from the operations that the code calls, so the two cannot differ. The form: My Apps,
Configuration Builder (components, data connector, Permission Builder, post-installation text), a
version for the sandbox, Promote [building_apps_create_new, building_data_connection_apps].
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings

from integrations.procore.api.asked import Asked, Tab, asked
from integrations.procore.webhooks.hooks import NAMESPACE
from partner_app.insights.panel import VIEWS

NAME = "Tieback"
FULL_SCREEN = "/embedded/?company_id={{procore.company.id}}&project_id={{procore.project.id}}"
SIDE_PANEL = "/embedded/panel/?company_id={{procore.company.id}}&project_id={{procore.project.id}}"
# Names of Procore's views in the side panel:
# https://developers.procore.com/documentation/side-panel-view-keys
VIEW_KEYS = (
    "rfi.detail",
    "submittal_logs.detail",
    "change_events.list",
    "change_events.detail",
    "change_events.edit",
    "budgeting.list",
    "budgeting.detail",
    "commitments.work_order_contracts.detail",
    "commitments.work_order_contracts.edit",
    "commitments.purchase_order_contracts.detail",
    "commitments.purchase_order_contracts.edit",
    "commitments.requisitions.detail",
)
# Procore rejects high-volume retrieval for analytics: name the stored data instead.
# https://developers.procore.com/documentation/api-usage-guidelines
CACHE = (
    "Tieback holds a scoped operational cache of the projects in use: only fields that its screens "
    "show, only of permitted projects, updated and deleted as in Procore, and gone after an "
    "uninstall."
)
APP, COMPONENTS, CONNECTOR = "My Apps", "Configuration Builder, Components", "Data Connector"
PERMISSIONS, AFTER = "Permission Builder", "Post-installation"
VERSION, CREDENTIALS, PROMOTE = "Version for the sandbox", "Credentials", "Promote"


@dataclass(frozen=True)
class Entry:
    """One field of the form: under `where`, at `label`, enter `value`."""

    where: str
    label: str
    value: str
    why: str = ""


def checklist(post_install: str) -> list[Entry]:
    """In the order of the form."""
    return [
        Entry(APP, "App Name", NAME),
        Entry(COMPONENTS, "Full screen, title", NAME),
        Entry(COMPONENTS, "Full screen, URL", settings.BASE_URL + FULL_SCREEN),
        Entry(COMPONENTS, "Side panel, title", NAME),
        Entry(COMPONENTS, "Side panel, URL", settings.BASE_URL + SIDE_PANEL),
        Entry(COMPONENTS, "Side panel, views", ", ".join(VIEW_KEYS)),
        Entry(CONNECTOR, "User Level Authentication", "on", "People sign in as themselves"),
        Entry(CONNECTOR, "Service Account", "on", "Syncs and webhooks run with nobody signed in"),
        *(entry for each in asked() for entry in _permission(each)),
        Entry(AFTER, "Notes", post_install.strip()),
        Entry(VERSION, "Save, then install the version in the Developer Sandbox", "yes"),
        Entry(CREDENTIALS, "Redirect URIs", settings.PROCORE.redirect_uri, "To the character"),
        Entry(CREDENTIALS, "PROCORE_CLIENT_ID, PROCORE_CLIENT_SECRET", "copy to the settings"),
        Entry(PROMOTE, "After the checks of docs/operations/first-day.md", "Promote"),
        Entry("Listing", "Use of data", CACHE),
    ]  # fmt: skip


def as_markdown(entries: list[Entry]) -> str:
    """A checklist; each part of the form under its own heading."""
    text = [
        f"# {NAME} in Procore's configuration form\n",
        "Fill in by hand, in this order: the form takes no file. Webhooks are made through the API "
        f"under the namespace `{NAMESPACE}` and need no entry.\n",
    ]
    for where, group in groupby(entries, key=lambda entry: entry.where):
        text.append(f"## {where}\n")
        text += [_line(entry) for entry in group]
        text.append("")
    return "\n".join(text)


def shown_views() -> list[str]:
    """Keys of the views for which the panel has content."""
    return [key for key in VIEW_KEYS if any(key.startswith(prefix) for prefix, *_ in VIEWS)]


def _permission(each: Asked) -> Iterator[Entry]:
    """One line of a tab; where the form offers only levels, a granular permission needs Admin."""
    where = f"{PERMISSIONS}, {each.tab} tab"
    why = "; ".join(dict.fromkeys(operation.why for operation in each.because))
    if each.tool == "Webhooks API" and each.tab is Tab.PROJECT:
        why = "The same level as on the Company tab"
    yield Entry(where, each.tool, each.level.label, why)
    for granular in each.granular:
        label = f"{each.tool}, granular: {granular.label}"
        only = f"on; where the form has no granular permissions, {each.tool}: Admin"
        yield Entry(where, label, only, "Writes an approved estimate, and undoes it")


def _line(entry: Entry) -> str:
    value = f"\n\n{entry.value}\n" if "\n" in entry.value else f" **{entry.value}**"
    return f"- [ ] {entry.label}:{value}" + (f" ({entry.why})" if entry.why else "")
