"""Celery: a doorbell. What is due, running and done stands in Postgres."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_app.settings")

app = Celery("tieback")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        "integrations.procore.sync",
        "integrations.procore.webhooks",
        "partner_app.handoffs",
        "partner_app.insights",
    ]
)


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Django has configured logging already; Celery must not do it again."""
