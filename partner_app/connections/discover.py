"""Which companies have installed Tieback, and which have uninstalled it.

A company missing from Procore's list is checked with its own header before it counts as gone.
"""

from collections.abc import Iterable

from django.conf import settings

from integrations.procore.api.errors import ProcoreError
from partner_app.connections.access import company_lists, service_client
from partner_app.connections.companies import COMPANIES, CompanyLists, forget_answer
from partner_app.connections.leave import close_down, close_down_all
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import note_connected, note_gone, note_installed
from partner_app.tenancy.models import Company, CompanyState

# The service account can connect them automatically.
WAITING = (CompanyState.DISCOVERED, CompanyState.CONNECTING, CompanyState.RECONNECT_NEEDED)
LEFT = (CompanyState.DISCONNECTED, CompanyState.GRACE)
ASKED_AT_MOST = 50  # companies in one pass, each with its own header


def discover() -> dict[str, object]:
    """Records new installs and marks uninstalled companies. Raises ProcoreError."""
    close_down_all()
    lists = company_lists()
    gone = _gone(lists)
    installed = {key: name for key, name in lists.found.items() if _allowed(key)}
    new = sum(note_installed(company_id=key, name=name) for key, name in installed.items())
    waiting = Company.objects.filter(id__in=installed, state__in=WAITING)
    for company_id in list(waiting.values_list("id", flat=True)):
        _connect_service(company_id)
    left = [company_id for company_id in gone if note_gone(company_id=company_id)]
    for company_id in left:
        close_down(company_id=company_id)
    return {
        "installed": [{"id": key, "name": name} for key, name in installed.items()],
        "new": new,
        "gone": len(left),
    }


def _gone(lists: CompanyLists) -> list[int]:
    """A few at most, whatever Procore says; companies in its other lists are added to `lists`."""
    gone: list[int] = []
    for asked, (company_id, name) in enumerate(_missing(lists.found)):
        if len(gone) == settings.DOUBT.close_at_most or asked == ASKED_AT_MOST:
            log.warning("discover.more_missing", gone=len(gone), asked=asked)
            break
        there = lists.has(company_id) if _allowed(company_id) else False
        if there is False:
            gone.append(company_id)
        elif there:
            lists.found.setdefault(company_id, name)
    return gone


def _missing(found: Iterable[int]) -> list[tuple[int, str]]:
    present = Company.objects.exclude(state__in=LEFT).exclude(id__in=list(found)).order_by("id")
    rows = list(present.values_list("id", "name"))
    return [(key, name) for key, name in rows if not _through_installer(key)]


def _allowed(company_id: int) -> bool:
    allowed = settings.PROCORE.allowed_companies
    return not allowed or company_id in allowed


def _through_installer(company_id: int) -> bool:
    """Connected without a service account: the list shows nothing about such a company."""
    with tenant(company_id):
        kinds = set(Connection.objects.filter(company_id=company_id).values_list("kind", flat=True))
    return ConnectionKind.INSTALLER in kinds and ConnectionKind.SERVICE not in kinds


def _connect_service(company_id: int) -> None:
    """The service account needs no consent beyond the install itself."""
    forget_answer(company_id)
    try:
        service_client(company_id).get(COMPANIES)
    except ProcoreError as error:
        log.info("company.connect_failed", company_id=company_id, code=error.code)
        return
    note_connected(company_id=company_id, actor="system")
