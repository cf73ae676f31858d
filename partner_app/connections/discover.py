"""Who has us installed, and who left.

Client credentials list exactly the companies with our app.
"""

from django.conf import settings

from integrations.procore.api.errors import ProcoreError
from partner_app.connections.access import fresh_client, service_client
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.connections.refresh import oauth
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import note_connected, note_gone, note_installed
from partner_app.tenancy.models import Company, CompanyState

COMPANIES = "/rest/v1.0/companies"


def discover() -> dict[str, object]:
    """Records new installs and marks the gone ones. Raises ProcoreError."""
    client = fresh_client(oauth().client_credentials(), company_id=None, who="service:0")
    rows = [row for page in client.pages(COMPANIES, {}) for row in page.rows]
    allowed = settings.PROCORE.allowed_companies
    installed = {
        int(row["id"]): str(row["name"]) for row in rows if not allowed or int(row["id"]) in allowed
    }
    new = 0
    for company_id, name in installed.items():
        new += note_installed(company_id=company_id, name=name)
        if Company.objects.filter(id=company_id, state=CompanyState.DISCOVERED).exists():
            _connect_service(company_id, name)
    present = Company.objects.exclude(state=CompanyState.GONE).exclude(id__in=installed)
    gone = sum(
        note_gone(company_id=company.id)
        for company in present
        if not _through_installer(company.id)
    )
    return {
        "installed": [{"id": key, "name": name} for key, name in installed.items()],
        "new": new,
        "gone": gone,
    }


def _through_installer(company_id: int) -> bool:
    """Connected without a service account: the list says nothing about such a company."""
    with tenant(company_id):
        kinds = set(Connection.objects.filter(company_id=company_id).values_list("kind", flat=True))
    return ConnectionKind.INSTALLER in kinds and ConnectionKind.SERVICE not in kinds


def _connect_service(company_id: int, name: str) -> None:
    """The service account needs nobody's consent beyond the install itself."""
    try:
        service_client(company_id).get("/rest/v1.0/companies")
    except ProcoreError as error:
        log.info("company.connect_failed", company_id=company_id, code=error.code)
        return
    note_connected(company_id=company_id, name=name, actor="system")
