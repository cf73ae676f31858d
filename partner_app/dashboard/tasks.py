"""Celery tasks for incidents and alerts: harmless twice."""

from celery import shared_task

from partner_app.dashboard.alerts import send_alerts
from partner_app.dashboard.watch import watch


@shared_task
def look_after_tenants() -> None:
    try:
        watch()
    finally:
        send_alerts()
