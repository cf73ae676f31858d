"""Procore's own schema for the records of each list that the simulator answers."""

from typing import Any

from tests.simulator.calls import READS
from tests.simulator.test_openapi import UNDESCRIBED, answer_schema

DEEPEST = 4  # levels of a record that may deviate
KEPT = ("type", "format", "enum")


def record_schemas(openapi: dict[str, Any]) -> dict[str, Any]:
    """By method and path, without references, for records, not for the lists around them."""
    return {
        f"{method} {path}": _plain(
            openapi, _record(openapi, answer_schema(openapi, (method, path), 200))
        )
        for method, path in READS
        if path not in UNDESCRIBED
    }


def _record(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema inside any envelope."""
    schema = _followed(openapi, schema)
    if "items" in schema:
        return _record(openapi, schema["items"])
    properties = schema.get("properties", {})
    if len(properties) == 1:  # {"data": …}, {"tools": […]}
        return _record(openapi, next(iter(properties.values())))
    return schema


def _followed(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The first of several schemas for one thing: the others only leave out more."""
    while True:
        several = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = openapi["components"]["schemas"][name]
        elif several:
            schema = several[0]
        else:
            return schema


def _plain(openapi: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    schema = _followed(openapi, schema)
    found = {key: schema[key] for key in KEPT if key in schema}
    if depth == DEEPEST:
        return found
    if "properties" in schema:
        found["properties"] = {
            name: _plain(openapi, inner, depth + 1) for name, inner in schema["properties"].items()
        }
    if "items" in schema:
        found["items"] = _plain(openapi, schema["items"], depth + 1)
    return found
