"""Keeps the hooks in order."""

from celery import shared_task

from integrations.procore.webhooks.hooks import check_all


@shared_task
def check_hooks() -> None:
    check_all()
