"""make audit: what we depend on is pinned, whole, consistent and under a licence that we accept.

Needs no network. Advisories do: run pip-audit on requirements/base.txt where there is one.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ACCEPTED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Mozilla|MPL|LGPL|Lesser General Public"
    r"|Unlicense|PostgreSQL|Zlib|0BSD|CC0|Public Domain",
    re.IGNORECASE,
)
# Read by hand: named here with the reason.
EXAMINED = {
    "djlint": "GPL 3; run in development, never shipped",
    "levenshtein": "GPL 2; comes with ProPyCore, which only tests of the stand-in use",
    "python-levenshtein": "as levenshtein",
    "fuzzywuzzy": "as levenshtein",
    "axe-playwright-python": "MIT by its repository; its metadata says nothing",
}


def main() -> int:
    problems = [*pins(ROOT / "requirements" / "base.txt"), *pins(ROOT / "requirements" / "dev.txt")]
    problems += [*consistency(), *licences()]
    for problem in problems:
        print(problem)
    print(f"audit: {len(problems)} problems")
    return 1 if problems else 0


def pins(path: Path) -> list[str]:
    """Every requirement is pinned with a hash, and what is installed is what is pinned."""
    found = []
    for block in re.split(r"\n(?=\S)", path.read_text()):
        text = re.split(r"\\|\s--hash|\s+#", block, maxsplit=1)[0].strip()
        if not text or text.startswith("#"):
            continue
        pin = Requirement(text)
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
