"""The ASVS table is complete and names only what exists."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.house.test_rules import ROOT

TABLE = ROOT / "docs" / "security" / "asvs.md"
CONTROLS = TABLE.with_name("controls.md")
# Levels 1 and 2 of version 5.0.0: the requirements in each section.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5,
    "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2,
    "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4,
    "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2,
    "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1,
    "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip
BY_CHAPTER = (27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7)  # 253 of 345
ANSWERS = {"met", "partly", "not met", "not applicable"}
NUMBER = re.compile(r"v5\.0\.0-(\d+\.\d+\.\d+)")
PATH = re.compile(
    r"`((?:partner_app|integrations|static|templates|tools|requirements|tests|docs)/[\w./-]+"
    r"|Dockerfile|Caddyfile|\.dockerignore|docker-compose\.yml|package-lock\.json)`"
)
TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> list[list[str]]:
    """Cells of each row: numbers, requirement, answer, how, tests."""
    lines = TABLE.read_text().splitlines()
    found = [line.strip("| ").split(" | ") for line in lines if line.startswith("| v5")]
    assert {len(cells) for cells in found} == {5}
    return found


def test_every_requirement_of_levels_1_and_2_is_answered_once() -> None:
    chapters = Counter[int]()
    for section, last in SECTIONS.items():
        chapters[int(section.split(".")[0])] += last
    assert tuple(chapters[n] for n in range(1, 18)) == BY_CHAPTER
    wanted = {f"{section}.{n}" for section, last in SECTIONS.items() for n in range(1, last + 1)}
    answered = Counter(number for cells in rows() for number in NUMBER.findall(cells[0]))
    assert wanted - set(answered) == set()
    assert set(answered) - wanted == set()
    assert {number for number, times in answered.items() if times > 1} == set()


def test_the_sums_of_the_introduction_are_those_of_the_table() -> None:
    found = Counter[str]()
    for cells in rows():
        found[cells[2]] += len(NUMBER.findall(cells[0]))
    assert set(found) == ANSWERS
    text = " ".join(TABLE.read_text().split("## V1")[0].split())
    assert f"each of the {sum(BY_CHAPTER)} requirements" in text
    assert (
        f"{found['met']} are met, {found['partly']} in part, {found['not met']} are not, "
        f"{found['not applicable']} concern what Tieback does not have"
    ) in text


@pytest.mark.parametrize("page", [TABLE, CONTROLS], ids=lambda path: str(path.name))
def test_every_module_that_is_named_exists(page: Path) -> None:
    text = page.read_text()
    named = PATH.findall(text)
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []
    looks = {word for word in re.findall(r"`([\w./-]+\.(?:py|js|html|yml))`", text) if "/" in word}
    assert looks <= set(named), "not named from the top of the repository"


def test_every_test_that_is_named_exists() -> None:
    named = {each for cells in rows() for each in TEST.findall(cells[4])}
    assert len(named) > 90
    assert [
        f"{path}::{name}"
        for path, name in sorted(named)
        if not re.search(rf"^def {name}\(", (ROOT / "tests" / path).read_text(), re.MULTILINE)
    ] == []
    for cells in rows():
        rest = TEST.sub("", cells[4]).replace(",", "").strip()
        assert rest in {"", "–"}, f"{cells[0]}: {rest}"


def test_what_is_met_says_where_or_by_which_test() -> None:
    """An unmet one says what to do; a row without a test must be checked by reading."""
    for numbers, asks, answer, how, shown in rows():
        assert answer in ANSWERS, numbers
        assert asks, numbers
        assert len(how) > 5 or TEST.search(shown), numbers
        if answer == "not met":
            assert "o do" in how, f"{numbers} leaves the reader alone"


def test_links_between_the_pages_lead_somewhere() -> None:
    heads = {
        re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in CONTROLS.read_text().splitlines()
        if line.startswith("## ")
    }
    links = re.findall(r"\(controls\.md#([\w-]+)\)", TABLE.read_text())
    assert len(links) > 8
    assert set(links) <= heads
    for path in re.findall(
        r"\]\(((?:\.\./)*[\w/]+\.md)\)", TABLE.read_text() + CONTROLS.read_text()
    ):
        assert (TABLE.parent / path).exists(), path
