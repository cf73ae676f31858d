"""Who has us installed, and who left.

Client credentials list exactly the companies with our app.
"""

from django.conf import settings

from integrations.procore.api.errors import ProcoreError
from partner_app.connections.access import listed_companies, service_client
from partner_app.connections.leave import close_down, close_down_all
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import note_connected, note_gone, note_installed
from partner_app.tenancy.models import Company, CompanyState

# The service account can connect them by itself.
WAITING = (CompanyState.DISCOVERED, CompanyState.CONNECTING, CompanyState.RECONNECT_NEEDED)
LEFT = (CompanyState.DISCONNECTED, CompanyState.GRACE)


def discover() -> dict[str, object]:
    """Records new installs and marks the gone ones. Raises ProcoreError."""
    close_down_all()
    allowed = settings.PROCORE.allowed_companies
    installed = {
        key: name for key, name in listed_companies().items() if not allowed or key in allowed
    }
    new = sum(note_installed(company_id=key, name=name) for key, name in installed.items())
    waiting = Company.objects.filter(id__in=installed, state__in=WAITING)
    for company_id in list(waiting.values_list("id", flat=True)):
        _connect_service(company_id)
    present = Company.objects.exclude(state__in=LEFT).exclude(id__in=installed)
    gone = [
        company_id
        for company_id in present.values_list("id", flat=True)
        if not _through_installer(company_id) and note_gone(company_id=company_id)
    ]
    for company_id in gone:
        close_down(company_id=company_id)
    return {
        "installed": [{"id": key, "name": name} for key, name in installed.items()],
        "new": new,
        "gone": len(gone),
    }


def _through_installer(company_id: int) -> bool:
    """Connected without a service account: the list says nothing about such a company."""
    with tenant(company_id):
        kinds = set(Connection.objects.filter(company_id=company_id).values_list("kind", flat=True))
    return ConnectionKind.INSTALLER in kinds and ConnectionKind.SERVICE not in kinds


def _connect_service(company_id: int) -> None:
    """The service account needs nobody's consent beyond the install itself."""
    try:
        service_client(company_id).get("/rest/v1.0/companies")
    except ProcoreError as error:
        log.info("company.connect_failed", company_id=company_id, code=error.code)
        return
    note_connected(company_id=company_id, actor="system")
