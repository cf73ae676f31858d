"""How partner admins sign in, and how often they may try. Accounts are made by an operator only.

Wrong passwords are counted by name and address together, so that nobody can lock another person
out. A name also has a limit over all addresses, against guesses from many places; a device on which
the same person has passed the second factor before is exempt from that limit.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from django.http import HttpRequest

from partner_app.accounts.devices import known_device
from partner_app.core.client_ip import client_address

BY_ADDRESS = "10/m/ip"
FROM_HERE = "5/5m/key,20/d/key"  # of one name from one address, or on one known device
FROM_ANYWHERE = "100/h/key"  # of one name


class PartnerAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client behind our own proxy; allauth would count the proxy itself."""
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts an attempt; authenticate() removes it again after success."""
        name = str(credentials.get("username", "")).lower()
        device = known_device(request, name)
        here = f"{name}@{device or client_address(request)}"
        limits = [(here, f"{BY_ADDRESS},{FROM_HERE}")]
        if not device:
            limits.append((f"{name}@anywhere", FROM_ANYWHERE))
        self._login_failed_rl_usage = ratelimit.RateLimitUsage(usage=[])
        for key, rates in limits:
            used = ratelimit.consume(
                request,
                app="allauth.account",
                action="login_failed",
                config={"login_failed": rates},
                key=key,
            )
            if not used:
                raise self.validation_error("too_many_login_attempts")
            self._login_failed_rl_usage.usage += used.usage
