"""Redis as Django's cache, with one client for all calls."""

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from partner_app.core.broker import NO_RETRY


class _Client(RedisCacheClient):
    """Django creates a client per call, which takes longer than the call. Threads may share one."""

    @cached_property
    def _shared(self) -> Any:
        client = super().get_client(write=True)
        client.set_retry(NO_RETRY)
        return client

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self._shared


class SharedClientCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
