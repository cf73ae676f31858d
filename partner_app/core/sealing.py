"""Seals and opens what must stay secret at rest. The first key seals, all keys open.

A model names its sealed columns in `sealed`, where the key rotation finds them.
"""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


@cache
def box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def seal(content: bytes) -> bytes:
    return box().encrypt(content)


def unseal(sealed: bytes | memoryview) -> bytes:
    return box().decrypt(bytes(sealed))


def reseal(sealed: bytes | memoryview) -> bytes:
    """Seals it again under the first key."""
    return box().rotate(bytes(sealed))


def sealed_under_first(sealed: bytes | memoryview) -> bool:
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True
