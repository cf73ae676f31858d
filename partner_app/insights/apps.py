"""Metrics, cases and search."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "partner_app.insights"

    def ready(self) -> None:
        """Subscribes to the changes of a sync."""
        from partner_app.insights import refresh  # models are loaded by now

        refresh.listen()
