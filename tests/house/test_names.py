"""A name means one thing."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Django and Celery look for these names.
GIVEN = {"Command", "Meta", "Migration"}


def test_a_class_name_means_one_thing() -> None:
    places = defaultdict(list)
    for folder in ("partner_app", "integrations"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and node.name not in GIVEN:
                    places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
