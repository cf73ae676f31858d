"""Seals and opens what must stay secret. The first key seals, all keys open."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
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


def sealed_under_first(sealed: bytes | memoryview) -> bool:
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True
