"""Rules that no linter knows. Each comes with an example that it rejects."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.template.loader import get_template

from integrations.procore.resources.registry import RESOURCES, data_inventory
from partner_app.core.errors import TiebackError
from partner_app.settings import VARIABLES
from tests.conftest import SHARED
from tests.simulator.test_openapi import shape

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=|javascript:")
CODE = [
    path
    for folder in ("partner_app", "integrations", "simulator", "runtime")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
]


def page(path: str) -> str:
    return (ROOT / "docs" / path).read_text()


def every_error() -> list[type[TiebackError]]:
    found, waiting = [], [TiebackError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return found


@pytest.mark.parametrize("text", ["<script>x</script>", '<p onclick="x">', '<p style="x">'])
def test_the_rule_against_inline_code_refuses_its_examples(text: str) -> None:
    assert INLINE.search(text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.name))
def test_no_template_has_inline_script_style_or_handler(path: Path) -> None:
    assert not INLINE.search(path.read_text()), path
    get_template(str(path.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_setting_is_explained_to_operators(variable: str) -> None:
    assert f"`{variable}`" in page("operations/settings.md")


@pytest.mark.parametrize(
    "command",
    sorted(p.stem for p in (ROOT / "partner_app/management/commands").glob("[a-z]*.py")),
)
def test_every_command_is_explained_to_operators(command: str) -> None:
    assert f"manage.py {command}" in page("operations/run.md")


def test_every_error_has_a_code_of_its_own_and_words_for_people() -> None:
    leaves = [kind for kind in every_error() if kind.__module__.split(".")[0] != "tests"]
    codes = [kind.code for kind in leaves]
    assert len(set(codes)) == len(codes)
    for kind in leaves:
        assert kind.user_message.endswith((".", "}")), kind
        assert kind.remedy.endswith("."), kind


def test_every_kept_field_has_a_purpose_and_personal_ones_are_marked() -> None:
    rows = data_inventory()
    assert all(row["purpose"] for row in rows)
    personal = {(row["resource"], row["field"]) for row in rows if row["personal"]}
    assert ("users", "name") in personal
    assert ("rfis", "ball_in_court") in personal


def test_every_operation_that_a_resource_reads_is_listed_and_not_deprecated() -> None:
    catalogue = SHARED / "procore" / "endpoints.tsv"
    if not catalogue.exists():
        pytest.skip("the catalogue is not beside this clone")
    rows = [line.split("\t") for line in catalogue.read_text().splitlines()[1:]]
    living = {(method, shape(path)) for method, path, _, deprecated, *_ in rows if not deprecated}
    text = "\n".join(path.read_text() for path in CODE if "simulator" not in path.parts)
    called = set(re.findall(r'"(/rest/v[^"]+)"', text))
    assert len(called) > 8
    listed = {path for _, path in living}
    prefixes = {path for path in called if shape(path) not in listed}
    # Prefixes of addresses that are built from two strings.
    assert {
        path for path in prefixes if not any(x.startswith(shape(path)) for x in listed)
    } == set()


def test_specs_name_the_tool_that_a_viewer_needs_for_every_project_resource() -> None:
    open_to_members = {"wbs_codes"}
    for name, model in RESOURCES.items():
        if model.spec.scope == "project" and name not in open_to_members:
            assert model.spec.tool, name


def test_tasks_take_ids_and_never_content() -> None:
    for path in CODE:
        for arguments in re.findall(r"@shared_task[^\n]*\ndef \w+\(([^)]*)\)", path.read_text()):
            for argument in filter(None, (part.strip() for part in arguments.split(","))):
                assert re.fullmatch(r"\w+_id: (int|str)", argument), (path, argument)


def test_no_model_keeps_money_or_ids_in_a_type_that_is_too_small() -> None:
    ours = ("partner_app.", "integrations.")
    for model in apps.get_models():
        if not model.__module__.startswith(ours):
            continue
        for field in model._meta.concrete_fields:
            kind = field.get_internal_type()
            assert kind != "FloatField", (model, field)
            if field.attname.endswith("_id") and not field.is_relation:
                assert kind in {"BigIntegerField", "UUIDField", "TextField"}, (model, field)


def test_no_file_holds_a_path_of_a_machine_or_an_address_of_a_registry() -> None:
    bad = re.compile(
        r"/(?:wo" + "rk|ro" + r"ot)/[a-z]|pypi\.org|registry\.npmjs|files\.pythonhosted"
    )
    assert bad.search("/wo" + "rk/main")
    kept = [
        path
        for pattern in ("*.md", "*.toml", "*.txt", "*.py", "*.json", "*.yml", "Makefile")
        for path in ROOT.rglob(pattern)
        if not {".venv", "node_modules", ".data", ".git"} & set(path.relative_to(ROOT).parts)
        and path.name != "package-lock.json"
    ]
    assert len(kept) > 100
    assert [str(path) for path in kept if bad.search(path.read_text())] == []


@pytest.mark.slow
def test_the_audit_finds_nothing() -> None:
    subprocess.run([sys.executable, "-m", "tools.audit"], cwd=ROOT, check=True)


def test_every_proof_that_the_threat_model_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", page("security.md")))
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert len(named) > 20
    assert [name for name in sorted(named) if f"def {name}(" not in code] == []
