"""Loads Celery when Django starts, so that `delay` finds the app."""

from django.apps import AppConfig


class PartnerAppConfig(AppConfig):
    name = "partner_app"

    def ready(self) -> None:
        from partner_app.celery import app  # noqa: F401  # needs Django's settings
        from partner_app.core import checks, lookups  # noqa: F401  # they register themselves
