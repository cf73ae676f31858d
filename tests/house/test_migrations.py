"""A release runs beside the one before it: no migration may break the code still running."""

from pathlib import Path

import pytest
from django_migration_linter import MigrationLinter

ROOT = Path(__file__).resolve().parents[2]
# From before the first release to customers, when no older code ran beside them.
BEFORE = {
    "connections": 2, "tenancy": 3, "accounts": 1, "procore": 3, "embedded": 5, "estimates": 3,
    "handoffs": 3, "insights": 1, "audit": 2,
}  # fmt: skip
# Two constraints that together allow more than the one they replace.
LOOSER = {("insights", "0005_a_case_for_admins")}


def findings(app: str, name: str) -> list[str]:
    linter = MigrationLinter(str(ROOT), no_cache=True, quiet=["ok", "ignore", "warning", "error"])
    linter.lint_all_migrations(app_label=app, migration_name=name)
    return [f"{app}.{name}"] if linter.has_errors else []


def migrations() -> list[tuple[str, str]]:
    found = []
    folders = [*ROOT.glob("partner_app/*/migrations"), *ROOT.glob("integrations/*/migrations")]
    for folder in folders:
        app = folder.parent.name
        names = sorted(path.stem for path in folder.glob("0*.py"))
        found += [(app, name) for name in names if int(name[:4]) > BEFORE.get(app, 0)]
    return [each for each in found if each not in LOOSER]


@pytest.mark.parametrize(("app", "name"), migrations())
def test_no_migration_breaks_the_release_before_it(database: None, app: str, name: str) -> None:
    assert findings(app, name) == []


def test_the_linter_finds_what_would_break(database: None) -> None:
    """A required column without a default in the database."""
    assert findings("embedded", "0005_tour")
