"""make audit: dependencies are pinned, complete, consistent and under licences that we accept.

Needs no network. Known advisories are looked up in a copy of the advisory database in OSV format;
ADVISORIES names its folder. Without a copy this check is skipped, with a message.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ACCEPTED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Mozilla|MPL|LGPL|Lesser General Public"
    r"|Unlicense|PostgreSQL|Zlib|0BSD|CC0|Public Domain",
    re.IGNORECASE,
)
# Licences read by hand, with the reason.
EXAMINED = {
    "djlint": "GPL 3; run in development, never shipped",
    "levenshtein": "GPL 2; comes with ProPyCore, which only tests of the stand-in use",
    "python-levenshtein": "as levenshtein",
    "fuzzywuzzy": "as levenshtein",
    "axe-playwright-python": "MIT by its repository; its metadata says nothing",
}


NO_COPY = (
    "audit: advisories were not looked up. Clone https://github.com/pypa/advisory-database and "
    "name its folder: ADVISORIES=folder make audit"
)


def main() -> int:
    problems = [*pins(ROOT / "requirements" / "base.txt"), *pins(ROOT / "requirements" / "dev.txt")]
    problems += [*consistency(), *licences()]
    copy = os.environ.get("ADVISORIES", "").strip()
    if copy:
        problems += advisories(Path(copy), sorted((ROOT / "requirements").glob("*.txt")))
    else:
        print(NO_COPY)
    for problem in problems:
        print(problem)
    print(f"audit: {len(problems)} problems")
    return 1 if problems else 0


def pins(path: Path) -> list[str]:
    """Every requirement is pinned with a hash, and the installed version is the pinned one."""
    found = []
    for pin, block in blocks(path):
        if "--hash=sha256:" not in block:
            found.append(f"{path.name}: {pin.name} has no hash")
        if pin.marker and not pin.marker.evaluate():
            continue
        try:
            installed = version(pin.name)
        except PackageNotFoundError:
            found.append(f"{path.name}: {pin.name} is pinned and not installed")
            continue
        if not pin.specifier.contains(installed, prereleases=True):
            found.append(f"{path.name}: {pin.name} is {installed}, pinned {pin.specifier}")
    return found


def blocks(path: Path) -> Iterator[tuple[Requirement, str]]:
    """Each requirement of a file with its text, hashes included."""
    for block in re.split(r"\n(?=\S)", path.read_text()):
        text = re.split(r"\\|\s--hash|\s+#", block, maxsplit=1)[0].strip()
        if text and not text.startswith("#"):
            yield Requirement(text), block


def advisories(copy: Path, files: list[Path]) -> list[str]:
    """Advisories for pinned versions, whether or not they are installed here."""
    pinned: dict[str, dict[Version, str]] = {}
    for path in files:
        for pin, _ in blocks(path):
            for one in pin.specifier:
                versions = pinned.setdefault(canonicalize_name(pin.name), {})
                versions.setdefault(Version(one.version), path.name)
    # Only a few of the many thousand files name a pinned package; only those are parsed.
    names = "|".join(re.escape(name).replace("\\-", "[-_.]+") for name in pinned)
    named = re.compile(rf"""name["']?:\s*["']?(?:{names})["']?\s*(?:[,}}\n]|$)""", re.IGNORECASE)
    found: list[str] = []
    read = 0
    for path in sorted(p for p in copy.rglob("*") if p.suffix in {".yaml", ".yml", ".json"}):
        read += 1
        text = path.read_text(encoding="utf-8")
        if not named.search(text):
            continue
        known = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        if isinstance(known, dict) and not known.get("withdrawn"):
            found += _against(known, pinned)
    if not read:
        return [f"ADVISORIES: there is no advisory in {copy}"]
    return found


def _against(advisory: dict[str, Any], pinned: dict[str, dict[Version, str]]) -> Iterator[str]:
    for affected in advisory.get("affected", ()):
        package = affected.get("package", {})
        if package.get("ecosystem") != "PyPI":
            continue
        name = canonicalize_name(str(package.get("name", "")))
        for pin, file in pinned.get(name, {}).items():
            if str(pin) in map(str, affected.get("versions", ())) or any(
                _in_range(pin, each) for each in affected.get("ranges", ())
            ):
                aliases = ", ".join(advisory.get("aliases", ()))
                known_as = f"{advisory['id']} ({aliases})" if aliases else str(advisory["id"])
                yield f"{file}: {name} {pin} has the advisory {known_as}{_fix(pin, affected)}"


def _in_range(pin: Version, given: dict[str, Any]) -> bool:
    """Applies the events in order: from `introduced`, up to `fixed` or through `last_affected`."""
    inside = False
    for event in given.get("events", ()) if given.get("type") in {"ECOSYSTEM", "SEMVER"} else ():
        for kind, text in event.items():
            try:
                at = Version("0.dev0" if text == "0" else str(text))
            except InvalidVersion:
                continue
            if kind == "introduced" and pin >= at:
                inside = True
            elif (kind == "fixed" and pin >= at) or (kind == "last_affected" and pin > at):
                inside = False
    return inside


def _fix(pin: Version, affected: dict[str, Any]) -> str:
    """The lowest fixed release after the pinned one, in words."""
    fixes = [
        Version(str(event["fixed"]))
        for each in affected.get("ranges", ())
        if each.get("type") == "ECOSYSTEM"
        for event in each.get("events", ())
        if "fixed" in event
    ]
    later = [fix for fix in fixes if fix > pin]
    return f"; fixed in {min(later)}" if later else "; no release fixes it"


def consistency() -> list[str]:
    done = subprocess.run(
        [BIN / "pip", "check", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip().splitlines() if done.returncode else []


def licences() -> list[str]:
    command = [str(BIN / "pip-licenses"), "--format=json", "--from=mixed"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [
        f"{row['Name']}: the licence {row['License']} is not among those that we accept"
        for row in json.loads(done.stdout)
        if not ACCEPTED.search(row["License"]) and row["Name"].lower() not in EXAMINED
    ]


if __name__ == "__main__":
    sys.exit(main())
