"""Checks a commit message: the subject is `area: Verb object`, 72 characters at most.

    python -m tools.commit_subject FILE

FILE holds the message, as git's commit-msg hook receives it. Exit 1 with the reason otherwise.
"""

import re
import sys
from pathlib import Path

LONGEST = 72
FORM = re.compile(r"[a-z0-9_.-]+(, [a-z0-9_.-]+)*: [A-Z].*[^.\s]")
BY_GIT = ("Merge ", "Revert ", "fixup! ", "squash! ")


def problem(subject: str) -> str:
    """What is wrong with the subject; empty if it is good."""
    if subject.startswith(BY_GIT):
        return ""
    if len(subject) > LONGEST:
        return f"The subject has {len(subject)} characters; {LONGEST} at most."
    if not FORM.fullmatch(subject):
        return "The subject is not of the form `area: Verb object`, without a full stop."
    return ""


def main() -> int:
    lines = Path(sys.argv[1]).read_text().splitlines()
    subject = next((line for line in lines if not line.startswith("#")), "")
    found = problem(subject)
    if found:
        print(f"{found}\n    {subject}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
