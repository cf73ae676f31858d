"""The documents use the field's words, their links have targets, and decisions share one form.

To check other texts as well, add them to TEXTS.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.test_rules import ROOT
from tools.commit_subject import problem

GLOSSARY = ROOT / "docs" / "glossary.md"
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    ROOT / "CODE_OF_CONDUCT.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
CODE = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]*))?\)")
CHANGES = ("Added", "Changed", "Fixed", "Security", "Removed", "To do when upgrading")
RELEASE = re.compile(r"## \[(?:Unreleased|\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$)")


def read(path: Path) -> str:
    """The text that people read: without code and addresses, and without the word list itself."""
    text = path.read_text()
    if path == GLOSSARY:
        text = text.partition("\n## Words we avoid\n")[0]
    return CODE.sub(" ", text)


TEXTS = {str(path.relative_to(ROOT)): path for path in DOCUMENTS}


def avoided() -> list[str]:
    """The words in the first column of the glossary's last table."""
    table = GLOSSARY.read_text().partition("\n## Words we avoid\n")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    return [word.strip() for row in rows[1:] for word in row.split(",")]


def found_in(text: str) -> Iterator[str]:
    for word in avoided():
        pattern = r"\s+".join(map(re.escape, word.split()))
        if re.search(rf"(?<![\w-]){pattern}(?![\w-])", text, re.IGNORECASE):
            yield word


def test_the_list_of_words_is_read() -> None:
    assert {"anew", "whoever", "stand-in", "by itself"} <= set(avoided())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Whoever is told of it,\nmends it by\nitself.", ["by itself", "mends", "told", "whoever"]),
        ("A test_whoever_asks, and `anew` in code.", ["anew"]),
        ("Amends are understood", []),
    ],
)
def test_a_word_is_found_whole_and_across_lines(text: str, words: list[str]) -> None:
    assert sorted(found_in(text)) == words


@pytest.mark.parametrize("name", TEXTS)
def test_no_document_has_a_word_that_we_avoid(name: str) -> None:
    assert list(found_in(read(TEXTS[name]))) == []


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_between_documents_leads_somewhere(name: str) -> None:
    path = TEXTS[name]
    for target, anchor in LINK.findall(path.read_text()):
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), f"{target}#{anchor}"


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: str(path.name))
def test_every_decision_follows_the_template(path: Path) -> None:
    number, lines = int(path.name[:4]), path.read_text().splitlines()
    assert re.fullmatch(rf"# {number}\. [A-Z].{{10,}}[^.]", lines[0])
    assert re.fullmatch(r"- Status: (proposed|accepted|superseded).*", lines[2])
    assert re.fullmatch(r"- Date: (\d{4}-\d\d-\d\d|YYYY-MM-DD)", lines[3])
    heads = [line for line in lines if line.startswith("#")]
    assert heads[1:] == ["## Context", "## Decision", "## Consequences"]


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(set(numbers)) == len(numbers) > 20


def test_the_changelog_has_dated_releases_and_known_kinds() -> None:
    heads = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line[:2] == "##"]
    assert heads[0] == "## [Unreleased]"
    for head in heads:
        known = RELEASE.match(head) if head[:3] == "## " else head.removeprefix("### ") in CHANGES
        assert known, head


@pytest.mark.parametrize(
    "subject",
    ["sync: Resume a list at the saved page", "core, tests: Add a lock", "Merge branch 'main'"],
)
def test_a_good_subject_of_a_commit_passes(subject: str) -> None:
    assert problem(subject) == ""


@pytest.mark.parametrize(
    "subject",
    [
        "Fix a bug",
        "sync: resume a list",
        "sync: Resume a list.",
        "sync: " + "A" * 70,
        "sync:Resume",
        "",
    ],
)
def test_a_bad_subject_of_a_commit_is_named(subject: str) -> None:
    assert problem(subject)
