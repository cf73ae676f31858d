"""Sends a message to a chat's incoming webhook, in Slack's format: {"text": …}.

A person typed the address, so it is checked at each call: HTTPS, and a host on the public internet.
Otherwise an operator could make this server call what only this server can reach. The connection
goes to exactly the address that was checked.
"""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError

LIMITS = Timeout(connect=5.0, read=10.0)  # seconds


class NotifyFailed(Exception):
    """The reason, in words. Never holds the address, which is itself a secret."""


@dataclass(frozen=True)
class WebhookTarget:
    """A parsed address; `origin` is its host and port, as in a Host header."""

    secure: bool
    host: str
    port: int
    origin: str
    path: str


def read_address(address: str, *, local: bool = False) -> WebhookTarget:
    """Checks without a network call, so that a form can say what is wrong. Raises NotifyFailed."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
        if any(letter <= " " for letter in address):
            raise NotifyFailed("This is not a valid address.")
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        path.encode("ascii")
    except ValueError:  # an invalid port, IPv6 address or name
        raise NotifyFailed("This is not a valid address.") from None
    secure = parts.scheme == "https"
    if not host or not (secure or (local and parts.scheme == "http")):
        raise NotifyFailed("The address must start with https:// and name a host.")
    origin = parts.netloc.rpartition("@")[2]
    return WebhookTarget(secure, host, port or (443 if secure else 80), origin, path)


def post(address: str, text: str, *, local: bool = False) -> None:
    """`local` permits exactly this host, for a demo and for tests. Raises NotifyFailed."""
    target = read_address(address, local=local)
    host, port = target.host, target.port
    numbers = _checked(host, port, local=local)
    pool: HTTPConnectionPool
    if target.secure:
        pool = HTTPSConnectionPool(numbers, port, assert_hostname=host, server_hostname=host)
    else:
        pool = HTTPConnectionPool(numbers, port)
    headers = {"Host": target.origin, "Content-Type": "application/json"}
    try:
        answer = pool.request(
            "POST",
            target.path,
            body=msgspec.json.encode({"text": text}),
            headers=headers,
            timeout=LIMITS,
            redirect=False,
            retries=False,
        )
    except (HTTPError, ValueError):  # ValueError: a header that cannot be sent
        raise NotifyFailed("The address did not answer.") from None
    finally:
        pool.close()
    if answer.status >= 300:
        raise NotifyFailed(f"The address answered with status {answer.status}.")


def _checked(host: str, port: int, *, local: bool) -> str:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise NotifyFailed("The host of the address was not found.") from None
    found = {str(entry[4][0]) for entry in entries}
    for each in found:
        if not ip_address(each).is_global and not (local and ip_address(each).is_loopback):
            raise NotifyFailed("The address points to a private network.")
    return min(found)
