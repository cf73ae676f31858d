"""The simulator against Procore's own description, if it is beside this clone."""

import copy
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from simulator.rest.app import OPERATIONS
from tests.conftest import SHARED
from tests.procore import Procore
from tests.simulator.calls import READS, WRITES, Api, Operation, as_person, as_service, filled

# In the catalogue since 2026, but its answer is described nowhere.
UNDESCRIBED = {"/rest/v1.0/projects/{project_id}/rfis/recycle_bin"}
# A list by its name, described as one of its records.
DESCRIBED_AS_ONE = {"/rest/v1.0/projects/{project_id}/commitment_change_orders"}

HOOKS = "/rest/v2.0/companies/{company_id}/webhooks/hooks"
LINE = {"original_budget_amount": 12.34, "quantity": 2, "calculation_strategy": "manual"}
HOOK = {
    "payload_version": "v4.0",
    "namespace": "tieback",
    "destination_url": "http://127.0.0.1:9/",
    "destination_headers": {"Authorization": "Bearer secret"},
}
BODIES: dict[Operation, Any] = {
    ("POST", "/rest/v1.1/budget_line_items"): {"budget_line_item": LINE},
    ("POST", "/rest/v1.0/budget_line_items/sync"): {"budget_line_items": [LINE]},
    ("PATCH", "/rest/v1.1/budget_line_items/{id}"): {"budget_line_item": LINE},
    ("POST", HOOKS): HOOK,
    ("PATCH", HOOKS + "/{id}"): HOOK,
    ("POST", HOOKS + "/{hook_id}/triggers/bulk"): [
        {"resource_name": "RFIs", "event_type": "update"}
    ],
}


def shape(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path)


def described(openapi: dict[str, Any], operation: Operation) -> dict[str, Any]:
    method, path = operation
    for candidate, methods in openapi["paths"].items():
        if shape(candidate) == shape(path) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    raise LookupError(f"{method} {path}")


def described_only(schema: Any) -> Any:
    """Below a certain depth the description gives only bare objects, which say nothing."""
    if isinstance(schema, dict):
        if schema == {"type": "object"}:
            return {}
        return {key: described_only(value) for key, value in schema.items()}
    return [described_only(value) for value in schema] if isinstance(schema, list) else schema


def validator(openapi: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    whole = described_only({**schema, "components": openapi["components"]})
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def answer_schema(openapi: dict[str, Any], operation: Operation, status: int) -> dict[str, Any]:
    content = described(openapi, operation)["responses"][str(status)]["content"]
    schema: dict[str, Any] = content["application/json"]["schema"]
    return schema


def make_hook(api: Api) -> str:
    answer = api.call(
        "POST",
        f"/rest/v2.0/companies/{api.company_id}/webhooks/hooks",
        json=HOOK,
    )
    assert answer.status_code == 201
    return str(answer.json()["data"]["id"])


@pytest.fixture
def api(procore: Procore) -> Api:
    return as_person(procore, "admin")


@pytest.mark.parametrize("operation", READS, ids="-".join)
def test_what_it_answers_is_what_the_schema_describes(
    api: Api, openapi: dict[str, Any], operation: Operation
) -> None:
    method, path = operation
    if path in UNDESCRIBED:
        with pytest.raises(LookupError):
            described(openapi, operation)
        return
    project = api.procore.projects()[0]
    answer = api.call(method, filled(api, path, project, make_hook(api)))
    assert answer.status_code == 200, answer.text
    check = validator(openapi, answer_schema(openapi, operation, 200))
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for document in (answer.json() if path in DESCRIBED_AS_ONE else [answer.json()])
        for error in check.iter_errors(document)
    ]
    assert problems == []


@pytest.mark.parametrize("operation", READS, ids="-".join)
def test_the_service_account_gets_what_a_person_gets(
    procore: Procore, operation: Operation
) -> None:
    method, path = operation
    api = as_service(procore)
    answer = api.call(method, filled(api, path, procore.projects()[0], make_hook(api)))
    assert answer.status_code == 200


def good_body(api: Api, operation: Operation, project_id: int) -> Any:
    """A body that the schema asks for; a budget line gets a code that has no line yet."""
    body = copy.deepcopy(BODIES[operation])
    if "budget" not in operation[1]:
        return body
    taken = {row["wbs_code_id"] for row in api.procore.records(project_id, "budget_line_items")}
    code = next(
        row["id"]
        for row in api.procore.records(project_id, "wbs_codes")
        if row["status"] == "active" and row["id"] not in taken
    )
    for name, value in body.items():
        lines = value if isinstance(value, list) else [value]
        aimed = [{"wbs_code_id": code, **line} for line in lines]
        body[name] = aimed if isinstance(value, list) else aimed[0]
    return {"project_id": project_id, **body}


def broken(schema: dict[str, Any], body: Any) -> list[Any]:
    """Bodies that break the schema in one place each: a missing key, a value of another type."""
    found: list[Any] = []
    if schema.get("type") == "object":
        for name in schema.get("required", []):
            found.append({key: value for key, value in body.items() if key != name})  # noqa: PERF401  # reads better
        for name, inner in schema.get("properties", {}).items():
            wrong: Any = {"not": "this"} if inner.get("type") != "object" else 17
            found.append({**body, name: wrong})
            if name in body:
                found += [{**body, name: value} for value in broken(inner, body[name])]
    if schema.get("type") == "array" and body:
        found += [[value, *body[1:]] for value in broken(schema["items"], body[0])]
    return found


@pytest.mark.parametrize("operation", BODIES, ids="-".join)
def test_it_refuses_what_the_schema_refuses(
    api: Api, openapi: dict[str, Any], operation: Operation
) -> None:
    method, path = operation
    schema = described(openapi, operation)["requestBody"]["content"]["application/json"]["schema"]
    project = api.procore.projects()[0]
    address = filled(api, path, project, make_hook(api))
    body = good_body(api, operation, project)
    before = api.procore.records(project, "budget_line_items")
    bad = broken(schema, body)
    assert len(bad) > 3
    for candidate in bad:
        answer = api.call(method, address, json=candidate)
        assert answer.status_code in {400, 422}, (candidate, answer.status_code)
    assert api.procore.records(project, "budget_line_items") == before
    answer = api.call(method, address, json=body)
    assert answer.status_code in {200, 201}, answer.text
    check = validator(openapi, answer_schema(openapi, operation, answer.status_code))
    assert list(check.iter_errors(answer.json())) == []


def test_it_offers_only_what_procore_lists_and_nothing_deprecated() -> None:
    catalogue = SHARED / "procore" / "endpoints.tsv"
    if not catalogue.exists():
        pytest.skip("the catalogue is not beside this clone")
    rows = [line.split("\t") for line in catalogue.read_text().splitlines()[1:]]
    living = {(method, shape(path)) for method, path, _, deprecated, *_ in rows if not deprecated}
    offered = {(method, shape(path)) for method, path, _ in OPERATIONS}
    assert offered - living == set()
    assert len(READS) + len(WRITES) == len(OPERATIONS)
