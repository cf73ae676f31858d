"""A name means one thing."""

import ast
from collections import defaultdict

from tests.house.test_rules import CODE, ROOT

OURS = {"partner_app", "integrations"}
GIVEN = {"Command", "Meta"}  # Django looks for these names


def test_a_class_name_means_one_thing() -> None:
    places = defaultdict(list)
    for path in sorted(CODE):
        place = path.relative_to(ROOT)
        for node in ast.walk(ast.parse(path.read_text())) if place.parts[0] in OURS else ():
            if isinstance(node, ast.ClassDef) and node.name not in GIVEN:
                places[node.name].append(str(place))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
