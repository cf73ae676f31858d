"""make audit finds a known advisory for a pinned version in a copy of the database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.test_rules import ROOT
from tools.audit import NO_COPY, advisories, blocks

PINNED = """\
django==5.2.1 \\
    --hash=sha256:aa
some-package==1.4 ; python_version >= "3.9" \\
    --hash=sha256:bb
quiet==2.0rc1 --hash=sha256:cc
"""


def advisory(package: str, *, kind: str = "ECOSYSTEM", **affected: object) -> dict[str, object]:
    name = {"name": package, "ecosystem": affected.pop("ecosystem", "PyPI")}
    events = affected.pop("events", [])
    ranges = [{"type": kind, "events": events}] if events else []
    return {
        "id": "PYSEC-1",
        "aliases": ["CVE-1"],
        "affected": [{"package": name, "ranges": ranges, **affected}],
    }


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(PINNED)
    return path


def against(pinned: Path, known: dict[str, object], name: str = "PYSEC-1.json") -> list[str]:
    copy = pinned.parent / "vulns"
    copy.mkdir(exist_ok=True)
    (copy / name).write_text(json.dumps(known))
    return advisories(copy, [pinned])


FIXED = [{"introduced": "5.2"}, {"fixed": "5.2.2"}]


def test_a_pinned_version_in_a_range_is_named_with_its_fix(pinned: Path) -> None:
    known = advisory("Django", events=FIXED)
    assert against(pinned, known) == [
        "requirements.txt: django 5.2.1 has the advisory PYSEC-1 (CVE-1); fixed in 5.2.2"
    ]


@pytest.mark.parametrize(
    ("package", "events", "found"),
    [
        ("django", [{"introduced": "0"}, {"fixed": "5.2.1"}], 0),
        ("django", [{"introduced": "5.2.2"}], 0),
        ("django", [{"introduced": "0"}], 1),
        ("django", [{"introduced": "0"}, {"last_affected": "5.2.1"}], 1),
        ("django", [{"introduced": "0"}, {"last_affected": "5.2.0"}], 0),
        ("django", [{"introduced": "0"}, {"fixed": "4.2"}, *FIXED], 1),
        ("django", [{"introduced": "0"}, {"fixed": "4.2"}, {"introduced": "6.0"}], 0),
        ("Some_Package", [{"introduced": "1.3"}, {"fixed": "1.10"}], 1),
        ("quiet", [{"introduced": "2.0"}], 0),
        ("django-other", [{"introduced": "0"}], 0),
    ],
)
def test_versions_are_compared_as_pip_does(
    pinned: Path, package: str, events: list[dict[str, str]], found: int
) -> None:
    assert len(against(pinned, advisory(package, events=events))) == found


def test_a_version_may_be_listed_by_itself(pinned: Path) -> None:
    found = against(pinned, advisory("some.package", versions=["1.3", "1.4"]))
    assert found == [
        "requirements.txt: some-package 1.4 has the advisory PYSEC-1 (CVE-1); no release fixes it"
    ]
    assert against(pinned, advisory("some.package", versions=["1.3", "1.40"])) == []


def test_what_was_withdrawn_is_of_another_ecosystem_or_counts_commits_is_left_out(
    pinned: Path,
) -> None:
    assert against(pinned, advisory("django", events=FIXED) | {"withdrawn": "2026-01-01"}) == []
    assert against(pinned, advisory("django", events=FIXED, ecosystem="npm")) == []
    commits = [{"introduced": "0"}, {"fixed": "ab12"}]
    assert against(pinned, advisory("django", events=commits, kind="GIT")) == []


def test_the_form_of_the_database_itself_is_read(pinned: Path) -> None:
    """YAML, in a folder for each package, with a range of commits beside that of releases."""
    folder = pinned.parent / "copy" / "vulns" / "django"
    folder.mkdir(parents=True)
    (folder / "PYSEC-2026-1.yaml").write_text(
        "id: PYSEC-2026-1\n"
        "details: what it does\n"
        "affected:\n"
        "- package:\n"
        "    name: django\n"
        "    ecosystem: PyPI\n"
        "    purl: pkg:pypi/django\n"
        "  ranges:\n"
        "  - type: GIT\n"
        "    repo: https://example.com/django\n"
        "    events:\n"
        "    - introduced: '0'\n"
        "    - fixed: 0123abc\n"
        "  - type: ECOSYSTEM\n"
        "    events:\n"
        "    - introduced: '5.2'\n"
        "    - fixed: 5.2.7\n"
        "modified: '2026-01-01T00:00:00Z'\n"
    )
    assert advisories(pinned.parent / "copy", [pinned]) == [
        "requirements.txt: django 5.2.1 has the advisory PYSEC-2026-1; fixed in 5.2.7"
    ]


def test_every_pin_of_ours_is_looked_up() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        found = {pin.name: [one.operator for one in pin.specifier] for pin, _ in blocks(path)}
        assert len(found) > 20, path
        assert {name for name, operators in found.items() if operators != ["=="]} == set(), path


def audit(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.audit"],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_command_fails_for_an_advisory_and_says_where_no_copy_is(tmp_path: Path) -> None:
    without = audit(ADVISORIES="")
    assert without.returncode == 0
    assert NO_COPY in without.stdout.splitlines()
    empty = audit(ADVISORIES=str(tmp_path))
    assert empty.returncode == 1
    assert "there is no advisory in" in empty.stdout
    [django] = [pin for pin, _ in blocks(ROOT / "requirements/base.txt") if pin.name == "django"]
    known = advisory("django", versions=[str(django.specifier).removeprefix("==")])
    (tmp_path / "one.json").write_text(json.dumps(known))
    found = audit(ADVISORIES=str(tmp_path))
    assert found.returncode == 1
    assert "base.txt: django" in found.stdout
    assert NO_COPY not in found.stdout
