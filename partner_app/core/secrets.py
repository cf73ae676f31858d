"""Random values, and the stored form of those that are only ever compared."""

import hashlib
import secrets


def fingerprint(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def random_secret() -> str:
    return secrets.token_urlsafe(32)
