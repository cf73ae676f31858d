"""The address a request came from: for the audit log, and as the key of limits by address."""

from contextvars import ContextVar
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

_address: ContextVar[str] = ContextVar("address", default="")


def client_address(request: HttpRequest) -> str:
    peer = str(request.META.get("REMOTE_ADDR", ""))
    return address_of(request.headers.get("X-Forwarded-For", ""), peer)


def address_of(forwarded: str, peer: str) -> str:
    """Behind our own proxy, the last entry is the one that the proxy itself wrote."""
    if settings.HTTPS and forwarded:
        return forwarded.rpartition(",")[2].strip()
    return peer


def is_this_host(request: HttpRequest) -> bool:
    """Whether the request comes from this host itself, not from the proxy for another client."""
    forwarded = "X-Forwarded-For" in request.headers
    address = str(request.META.get("REMOTE_ADDR", ""))
    return not forwarded and ip_address(address or "0.0.0.0").is_loopback  # noqa: S104  # no binding


def set_address(value: str) -> None:
    _address.set(value)


def current_address() -> str:
    """Empty outside a request."""
    return _address.get()
