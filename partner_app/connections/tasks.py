"""Celery task that stores the counts of calls: harmless twice."""

from celery import shared_task

from partner_app.connections.usage import collect


@shared_task
def collect_usage() -> None:
    collect()
