"""Seals and opens tokens; no other module opens them."""

from partner_app.core import sealing


def seal(text: str) -> bytes:
    return sealing.seal(text.encode())


def unseal(sealed: bytes | memoryview) -> str:
    return sealing.unseal(sealed).decode()
