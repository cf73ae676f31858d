"""Identifies the reading code: when it changes, unreadable records are tried again."""

import hashlib
from pathlib import Path

HERE = Path(__file__).parent
API = HERE.parent / "api"
SOURCES = (*sorted(HERE.glob("*.py")), API / "envelopes.py", API / "values.py")

# A hash of the files that turn Procore's responses into values, so no version number is needed.
RELEASE = hashlib.blake2b(
    b"".join(path.read_bytes() for path in SOURCES), digest_size=6
).hexdigest()
