"""The room of metrics, cases and search."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "partner_app.insights"

    def ready(self) -> None:
        """Begins to hear what a sync has changed."""
        from partner_app.insights import refresh  # models are loaded by now

        refresh.listen()
