"""Notices an install when a person opens the app, without calling Procore all the time."""

from django.core.cache import cache
from redis.exceptions import RedisError

from integrations.procore.api.errors import ProcoreError
from partner_app.connections.discover import discover
from partner_app.core.logging import log
from partner_app.tenancy.models import Company

PAUSE = 60  # seconds between checks for the same reason


def may_look(reason: str) -> bool:
    """At most once per pause; without Redis only the scheduled check runs."""
    try:
        return bool(cache.add(f"discover:{reason}", 1, PAUSE))
    except (RedisError, OSError):
        return False


def is_usable(company_id: int) -> bool:
    company = Company.objects.filter(id=company_id).first()
    return company is not None and company.usable


def look_for(company_id: int) -> bool:
    """Whether a company, in which Procore lists the person as a member, is connected by now."""
    if is_usable(company_id):
        return True
    if not may_look(str(company_id)):
        return False
    try:
        discover()
    except ProcoreError as error:
        log.info("discover.failed", code=error.code)
    return is_usable(company_id)
