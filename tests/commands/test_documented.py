"""Every command in README and docs exists, takes the options shown, and is run by a test."""

import ast
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from tests.house.test_rules import ROOT

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    # Not the reference: tools/reference.py generates it from the parsers.
    *(p for p in sorted((ROOT / "docs").rglob("*.md")) if p.parent.name != "reference"),
]
FENCE = re.compile(r"```sh\n(.*?)```", re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
KNOWN = re.compile(r"(make|manage\.py|celery|docker|python|\.venv/bin/\w+) ")
# Django's own commands, for contributors; the second needs GNU gettext.
OF_DJANGO = {"makemigrations", "makemessages"}
pytestmark = pytest.mark.slow  # each runs a program
# Make targets: those that .ci/run or tests run, and those that would take a test hours.
RUN_BY = {
    "demo": "runtime/smoke.py: runtime.demo",
    "setup": ".ci/run: make test",
    "lint": ".ci/run: make test",
    "test": ".ci/run: make test",
    "smoke": ".ci/run: make smoke",
    "dev": "tests/runtime/test_dev.py: reload=True",
    "audit": "tests/house/test_rules.py: tools.audit",
    "reference": "tests/house/test_reference.py: PAGES",
}
BY_HAND = {"test-fast", "chaos", "fix", "bench", "bench-calls", "bench-views", "bench-mapping"}


@dataclass(frozen=True)
class Documented:
    """`words` as a shell splits them, without what comes before the program."""

    document: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}: {' '.join(self.words)}"


def documented() -> Iterator[Documented]:
    for path in DOCUMENTS:
        text = path.read_text().replace("\\|", "|")
        fenced = [line for block in FENCE.findall(text) for line in block.splitlines()]
        for line in (*fenced, *SPAN.findall(FENCE.sub("", text))):
            if KNOWN.match(line):
                words = shlex.split(line, comments=True)
                yield Documented(str(path.relative_to(ROOT)), tuple(words))


def after(program: str) -> list[Documented]:
    """The rest of each command that runs this program, in a container or not."""
    found = set()
    for each in documented():
        places = [n for n, word in enumerate(each.words) if Path(word).name == program]
        if places and places[0] + 1 < len(each.words):
            found.add(Documented(each.document, each.words[places[0] + 1 :]))
    return sorted(found, key=str)


def options(words: tuple[str, ...]) -> set[str]:
    return {word for word in words if word.startswith("--")}


@cache
def run_by_tests() -> dict[str, set[str]]:
    """The options that tests use, by command of manage.py."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node.func) in {
                "run",
                "manage",
                "call_command",
            }:
                texts = [arg.value for arg in ast.walk(node) if isinstance(arg, ast.Constant)]
                words = [text for text in texts if isinstance(text, str)]
                if words:
                    found[words[0]].update(words)
    return found


def called(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def test_commands_are_found() -> None:
    assert len(after("manage.py")) > 20
    assert len(after("make")) > 8


@pytest.mark.parametrize("command", after("manage.py"), ids=str)
def test_a_command_of_manage_is_run_by_a_test_with_these_options(command: Documented) -> None:
    name = command.words[0]
    if name not in OF_DJANGO:
        assert name in run_by_tests()
        assert options(command.words) <= run_by_tests()[name]


@pytest.mark.parametrize("command", after("make"), ids=str)
def test_a_target_of_make_exists_and_something_runs_it(command: Documented) -> None:
    target = command.words[0]
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)
    if target not in BY_HAND:
        path, _, what = RUN_BY[target].partition(": ")
        assert what in (ROOT / path).read_text()


@pytest.mark.parametrize("command", after("python"), ids=str)
def test_a_module_takes_the_options_that_it_is_shown_with(command: Documented) -> None:
    if command.words[0] != "-m":
        return
    module = command.words[1]
    assert find_spec(module)
    if not options(command.words):
        return
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert all(option in done.stdout for option in options(command.words))


def test_containers_are_those_of_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = after("docker")
    for command in commands:
        assert command.words[0] == "compose"
        if command.words[1:2] == ("exec",):
            assert command.words[2] in services
    assert commands


def test_a_worker_is_started_for_queues_that_exist() -> None:
    commands = after("celery")
    for command in commands:
        queues = command.words[command.words.index("-Q") + 1].split(",")
        assert set(queues) <= set(settings.QUEUES)
        assert " ".join(("celery", *command.words[:3])) in (ROOT / "Procfile").read_text()
    assert commands
