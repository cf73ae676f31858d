"""make reference: writes the pages of docs/dev/reference/ from the code.

tests/house/test_reference.py fails if a page differs from the code.
"""

import argparse
import ast
import os
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

import django
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, DjangoHelpFormatter

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "dev" / "reference"
SOURCES = ("partner_app", "integrations")


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _paths() -> Iterator[Path]:
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def _calls() -> Iterator[tuple[Path, ast.Call, list[str]]]:
    """Each call in the code, with its string arguments."""
    for path in _paths():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                values = [a.value for a in node.args if isinstance(a, ast.Constant)]
                yield path, node, [value for value in values if isinstance(value, str)]


def _usage(command: BaseCommand, name: str) -> str:
    """Without what every command takes."""
    parser = command.create_parser("manage.py", name)
    common = {"-h", *DjangoHelpFormatter.show_last}
    own = [each for each in parser._actions if common.isdisjoint(each.option_strings)]
    formatter = parser._get_formatter()
    formatter.add_usage(parser.usage, own, parser._mutually_exclusive_groups, prefix="")
    return " ".join(formatter.format_help().split())


def commands() -> str:
    rows = []
    for name, app in sorted(get_commands().items()):
        if app != "partner_app":
            continue
        command = load_command_class(app, name)
        what = " ".join((command.help or "").split())
        rows.append((f"`{_usage(command, name)}`".replace("|", "\\|"), what))
    intro = "Each prints JSON to stdout, and leaves with a status other than 0 where it failed.\n"
    return f"# Commands\n\n{intro}\n" + _table(("command", "what it does"), rows)


def errors() -> str:
    from partner_app.core.errors import TiebackError

    for path in _paths():
        if path.name == "errors.py":
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found: dict[str, list[tuple[str, ...]]] = {}

    def walk(kind: type[TiebackError]) -> None:
        for child in kind.__subclasses__():
            if "code" in vars(child) and child.__module__.endswith(".errors"):
                texts = (child.user_message, child.remedy)
                package = child.__module__.removesuffix(".errors")
                row = (f"`{child.code}`", f"`{child.__name__}`", str(child.status), *texts)
                found.setdefault(package, []).append(row)
            walk(child)

    walk(TiebackError)
    titles = ("code", "class", "status", "what a person reads", "what to do")
    parts = [
        f"## {package}\n\n{_table(titles, sorted(set(rows)))}"
        for package, rows in sorted(found.items())
    ]
    intro = (
        "Commands give the code in their JSON, logs in `code`, and pages show the text in the\n"
        "reader's language. Names in braces are filled in.\n"
    )
    return f"# Error codes\n\n{intro}\n" + "\n".join(parts)


def metrics() -> str:
    from partner_app.dashboard.metrics import HELP

    rows = [(f"`{name}`", text) for name, text in sorted(HELP.items())]
    intro = "At `/metrics`, over all companies: counts and times, no names and no content.\n"
    return f"# Metrics\n\n{intro}\n" + _table(("metric", "what it counts"), rows)


def events() -> str:
    rows = set()
    for path, node, texts in _calls():
        called = node.func
        if (
            isinstance(called, ast.Attribute)
            and isinstance(called.value, ast.Name)
            and called.value.id == "log"
            and texts
        ):
            module = path.relative_to(ROOT).as_posix()
            rows.add((f"`{texts[0]}`", called.attr, f"`{module}`"))
    intro = "`event` of a line in the log, which is JSON; further keys are ids, codes and counts.\n"
    return f"# Log events\n\n{intro}\n" + _table(("event", "level", "written by"), sorted(rows))


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "errors.md": errors,
    "events.md": events,
    "metrics.md": metrics,
}


def main() -> int:
    argparse.ArgumentParser(prog="tools.reference", description=__doc__).parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_app.settings")
    django.setup()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
