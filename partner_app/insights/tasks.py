"""Celery's doorbell for figures: harmless twice."""

from celery import shared_task

from partner_app.insights.refresh import draw_due


@shared_task
def draw_figures() -> None:
    """What a sync under way has written, and what midnight has made due."""
    draw_due()
