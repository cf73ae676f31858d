"""The simulator answers what a client generated from Procore's own description asks for.

The client is github.com/weigandconstruction/procore_python_sdk. It has no package and no licence,
so only its requests are listed here: paths, of older versions too, and parameters.
"""

from tests.procore import Procore
from tests.simulator.calls import as_person

OF_THE_COMPANY = (
    "/rest/v1.0/me",
    "/rest/v1.0/companies",
    "/rest/v1.0/companies/{company}/projects",
    "/rest/v1.0/projects?company_id={company}",
    "/rest/v1.1/projects?company_id={company}",
    "/rest/v1.0/companies/{company}/users",
    "/rest/v1.1/companies/{company}/users",
    "/rest/v1.2/companies/{company}/users",
    "/rest/v1.3/companies/{company}/users",
    "/rest/v1.0/vendors?company_id={company}",
    "/rest/v1.0/companies/{company}/uoms",
    "/rest/v1.0/line_item_types?company_id={company}",
    "/rest/v1.0/settings/permissions?company_id={company}",
    "/rest/v1.0/app_installations?company_id={company}",
)
# A path, and the control API's name for its records; empty if it is no list of records.
OF_A_PROJECT = (
    ("/rest/v1.0/projects/{project}/rfis", "rfis"),
    ("/rest/v1.0/projects/{project}/submittals", "submittals"),
    ("/rest/v1.1/projects/{project}/submittals", "submittals"),
    ("/rest/v1.0/change_events?project_id={project}", "change_events"),
    ("/rest/v1.0/potential_change_orders?project_id={project}", "potential_change_orders"),
    ("/rest/v1.0/projects/{project}/commitment_change_orders", "change_orders"),
    ("/rest/v1.0/work_order_contracts?project_id={project}", "work_order_contracts"),
    ("/rest/v1.0/purchase_order_contracts?project_id={project}", "purchase_order_contracts"),
    ("/rest/v1.0/projects/{project}/direct_costs", "direct_costs"),
    ("/rest/v1.1/projects/{project}/direct_costs", "direct_costs"),
    ("/rest/v1.0/projects/{project}/direct_costs/line_items", "direct_cost_line_items"),
    ("/rest/v1.0/requisitions?project_id={project}", "requisitions"),
    ("/rest/v1.1/requisitions?project_id={project}", "requisitions"),
    ("/rest/v1.0/observations/items?project_id={project}", "observations"),
    ("/rest/v1.0/punch_items?project_id={project}", "punch_items"),
    ("/rest/v1.1/punch_items?project_id={project}", "punch_items"),
    ("/rest/v1.0/projects/{project}/work_breakdown_structure/wbs_codes", "wbs_codes"),
    ("/rest/v1.0/projects/{project}/budget", ""),
    ("/rest/v1.0/budget_views?project_id={project}", ""),
)


def test_what_it_asks_of_a_company_is_answered(procore: Procore) -> None:
    admin = as_person(procore, "admin")
    for path in OF_THE_COMPANY:
        answer = admin.call("GET", path.format(company=procore.company_id))
        assert (answer.status_code, bool(answer.json())) == (200, True), path
    assert procore.violations() == []


def test_what_it_asks_of_a_project_is_answered(procore: Procore) -> None:
    admin, project = as_person(procore, "admin"), procore.projects()[0]
    for path, kind in OF_A_PROJECT:
        answer = admin.call("GET", path.format(project=project), params={"per_page": 1000})
        assert answer.status_code == 200, path
        if kind:
            known = {row["id"] for row in procore.records(project, kind)}
            assert known, path
            assert {row["id"] for row in answer.json()} == known, path
    assert procore.violations() == []
