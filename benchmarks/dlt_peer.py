"""Loads the same lists with dlt's REST source into Postgres, for benchmarks.sync; prints seconds.

Runs in its own environment (requirements/bench.txt) and imports nothing of ours. Records are kept
whole as JSON and replaced, not merged: the least that dlt can do.
"""

import json
import os
import sys
import time
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

PAGE = 2000


def resource(name: str, table: str, path: str, **endpoint: Any) -> dict[str, Any]:
    return {
        "name": name,
        "table_name": table,
        "max_table_nesting": 0,
        "parallelized": True,
        "endpoint": {"path": path, **endpoint},
    }


def resources(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    found = [resource(f"company_{n}", f"list_{n}", p) for n, p in enumerate(wanted["company"])]
    for project in wanted["projects"]:
        for number, path in enumerate(wanted["project"]):
            name = f"project_{project}_{number}"
            found.append(resource(name, f"kind_{number}", path.format(project=project)))
        for kind in wanted["contracts"]:
            parent = f"{kind}_{project}"
            found.append(resource(parent, kind, f"/rest/v1.0/{kind}?project_id={project}"))
            lines = f"/rest/v1.0/{kind}/{{contract}}/line_items?project_id={project}"
            of = {"type": "resolve", "resource": parent, "field": "id"}
            found.append(
                resource(f"lines_{parent}", f"lines_{kind}", lines, params={"contract": of})
            )
        views = f"views_{project}"
        listed = resource(views, "views", f"/rest/v1.0/budget_views?project_id={project}")
        listed["processing_steps"] = [{"filter": lambda view: view["role"] == "budgeting"}]
        found.append(listed)
        rows = f"/rest/v1.0/budget_views/{{view}}/detail_rows?project_id={project}"
        rows += "&budget_row_type=all"
        of = {"type": "resolve", "resource": views, "field": "id"}
        found.append(resource(f"rows_{project}", "rows", rows, params={"view": of}))
    return found


def main() -> int:
    wanted = json.load(sys.stdin)
    sys.setrecursionlimit(100_000)  # it recurses once for each of thousands of resources
    os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    os.environ["EXTRACT__WORKERS"] = os.environ["LOAD__WORKERS"] = str(wanted["at_once"])
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    source = rest_api_source(
        {
            "client": {
                "base_url": wanted["api"],
                "headers": wanted["headers"],
                "paginator": "header_link",
            },
            "resource_defaults": {
                "write_disposition": "replace",
                "endpoint": {"params": {"per_page": PAGE}},
            },
            "resources": resources(wanted),
        }
    )
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=wanted["folder"],
        destination=dlt.destinations.postgres(wanted["database"]),
        dataset_name="dlt_bench",
    )
    began = time.perf_counter()
    pipeline.run(source)
    print(round(time.perf_counter() - began, 3))
    return 0


if __name__ == "__main__":
    sys.exit(main())
