"""Seals and opens what must stay secret. The first key seals, all keys open."""

import hashlib
import secrets
from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@cache
def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def seal(text: str) -> bytes:
    return _box().encrypt(text.encode())


def unseal(sealed: bytes | memoryview) -> str:
    return _box().decrypt(bytes(sealed)).decode()


def reseal(sealed: bytes | memoryview) -> bytes:
    """Under the first key."""
    return _box().rotate(bytes(sealed))


def fingerprint(secret: str) -> bytes:
    """What is stored of a random value that is only ever compared."""
    return hashlib.sha256(secret.encode()).digest()


def random_secret() -> str:
    return secrets.token_urlsafe(32)
