"""Celery's doorbells for figures and digests: harmless twice."""

from celery import shared_task
from django.conf import settings

from partner_app.insights.digests import send_due
from partner_app.insights.refresh import compute_due


@shared_task
def compute_figures() -> None:
    """What a sync under way has written, and what midnight has made due."""
    compute_due()


@shared_task
def send_digests() -> None:
    if settings.MAIL:
        send_due()
