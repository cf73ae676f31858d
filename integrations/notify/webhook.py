"""A message to a chat's incoming webhook, in the form that Slack reads: {"text": …}.

The address was typed in by somebody, so it is checked at each call: HTTPS, and a host that is on
the internet, or an operator could make this server ask what only this server may reach. The
connection goes to the very address that was checked.
"""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError

LIMITS = Timeout(connect=5.0, read=10.0)  # seconds


class NotifyFailed(Exception):
    """Says why in words; never holds the address, which is a secret in itself."""


def post(address: str, text: str, *, local: bool = False) -> None:
    """`local` allows this very host, for a demo and for tests. Raises NotifyFailed."""
    parts = urlsplit(address)
    host, secure = parts.hostname or "", parts.scheme == "https"
    if not host or not (secure or local):
        raise NotifyFailed("The address has to begin with https://.")
    port = parts.port or (443 if secure else 80)
    target = _checked(host, port, local=local)
    pool: HTTPConnectionPool
    if secure:
        pool = HTTPSConnectionPool(target, port, assert_hostname=host, server_hostname=host)
    else:
        pool = HTTPConnectionPool(target, port)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    headers = {"Host": parts.netloc.rpartition("@")[2], "Content-Type": "application/json"}
    try:
        answer = pool.request(
            "POST",
            path,
            body=msgspec.json.encode({"text": text}),
            headers=headers,
            timeout=LIMITS,
            redirect=False,
            retries=False,
        )
    except HTTPError:
        raise NotifyFailed("The address did not answer.") from None
    finally:
        pool.close()
    if answer.status >= 300:
        raise NotifyFailed(f"The address answered with status {answer.status}.")


def _checked(host: str, port: int, *, local: bool) -> str:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NotifyFailed("The host of the address is not known.") from None
    found = {str(entry[4][0]) for entry in entries}
    for each in found:
        if not ip_address(each).is_global and not (local and ip_address(each).is_loopback):
            raise NotifyFailed("The address leads into a private network.")
    return min(found)
