"""Traces, where a collector is configured; otherwise their packages are not even loaded."""

from django.conf import settings


def start(service: str) -> bool:
    """Once in each process, after the fork: an exporter has a thread of its own."""
    if not settings.TRACES:
        return False
    from partner_app.core.traces import instrument

    instrument(service)
    return True
