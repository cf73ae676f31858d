"""Celery tasks for metrics and digests: harmless twice."""

from celery import shared_task
from django.conf import settings

from partner_app.insights.digests import send_due
from partner_app.insights.refresh import compute_due


@shared_task
def compute_figures() -> None:
    """Computes what a sync in progress has written, and what midnight has queued."""
    compute_due()


@shared_task
def send_digests() -> None:
    if settings.MAIL:
        send_due()
