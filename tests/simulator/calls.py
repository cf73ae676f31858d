"""One call of every operation that the simulator offers, with ids that exist."""

import re
from typing import Any

import requests

from simulator.rest.app import OPERATIONS
from tests.procore import PATIENCE, Procore

Operation = tuple[str, str]
READS: list[Operation] = [
    (method, re.sub(r":int}", "}", path)) for method, path, _ in OPERATIONS if method == "GET"
]
WRITES: list[Operation] = [
    (method, re.sub(r":int}", "}", path)) for method, path, _ in OPERATIONS if method != "GET"
]


class Api:
    """The API origin, called as one person or as the service account."""

    def __init__(self, procore: Procore, token: str, company_id: int | None = None) -> None:
        self.procore, self.company_id = procore, company_id or procore.company_id
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Procore-Company-Id": str(self.company_id),
                "User-Agent": "tests",
            }
        )

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        address = self.procore.announcement["api"] + path
        return self.session.request(method, address, timeout=PATIENCE, **options)


def as_service(procore: Procore) -> Api:
    return Api(procore, procore.tokens(grant_type="client_credentials")["access_token"])


def as_person(procore: Procore, role: str, company_id: int | None = None) -> Api:
    person = procore.person(role, company_id)
    code = procore.authorize(procore.authorization_address(), person["id"])["code"]
    tokens = procore.tokens(
        grant_type="authorization_code", code=code, redirect_uri=procore.redirect_uri
    )
    return Api(procore, tokens["access_token"], company_id)


def filled(api: Api, path: str, project_id: int, hook_id: str = "0") -> str:
    """The path with ids in place of names, and the query that the operation requires."""
    line = api.procore.records(project_id, "budget_line_items")[0]["id"]
    view = api.call("GET", f"/rest/v1.0/budget_views?project_id={project_id}").json()[0]["id"]
    contracts = "purchase_order_contracts" if "purchase_order" in path else "work_order_contracts"
    ids = {
        "company_id": str(api.company_id),
        "project_id": str(project_id),
        "budget_view_id": str(view),
        "hook_id": hook_id,
        "segment_id": "1",
        "contract_id": str(api.procore.records(project_id, contracts)[0]["id"]),
        "id": hook_id if "/hooks/" in path else str(line),
    }
    if path.endswith("/change_order_packages/{id}"):  # only projects with three tiers have some
        every, kind = api.procore.projects(), "change_order_packages"
        project_id = next(key for key in every if api.procore.records(key, kind))
    ids |= record_ids(api, path, project_id)
    address = path.format(**ids)
    if path == "/rest/v1.0/projects/{id}":
        return f"{address}?company_id={api.company_id}"
    if "/projects/" in path or path.startswith("/rest/v2"):
        return address
    listed = path.removesuffix("/{id}")
    if listed.endswith(("/projects", "/vendors", "/app_installations", "/line_item_types")):
        return f"{address}?company_id={api.company_id}"
    return f"{address}?project_id={project_id}"


# The control API's name of a record, by the last word of its list.
KINDS = {"commitment_change_orders": "change_orders", "items": "observations"}
COMPANY_LISTS = {
    "users": "/rest/v1.3/companies/{company_id}/users",
    "vendors": "/rest/v1.0/vendors?company_id={company_id}",
    "line_item_types": "/rest/v1.0/line_item_types?company_id={company_id}",
}


def record_ids(api: Api, path: str, project_id: int) -> dict[str, str]:
    """`id`, and `holder_id` for lines, where the path names one record of a list."""
    listed = path.removesuffix("/{id}")
    if listed == path or "/hooks" in path or "budget_line_items" in path:
        return {}
    if listed == "/rest/v1.0/projects":
        return {"id": str(project_id)}
    word = listed.split("/")[-1]
    if word in COMPANY_LISTS:
        rows = api.call("GET", COMPANY_LISTS[word].format(company_id=api.company_id)).json()
        return {"id": str(rows[0]["id"])}
    if word != "line_items":
        return {"id": str(api.procore.records(project_id, KINDS.get(word, word))[0]["id"])}
    direct = "direct_costs" in path
    kind = "direct_cost_line_items" if direct else "commitment_line_items"
    holder = "purchase_order_contracts" if "purchase_order" in path else "work_order_contracts"
    holders = api.procore.records(project_id, "direct_costs" if direct else holder)
    known = {row["id"] for row in holders}
    lines = api.procore.records(project_id, kind)
    line = next(row for row in lines if row["holder"]["id"] in known)
    return {"id": str(line["id"]), "holder_id": str(line["holder"]["id"])}
