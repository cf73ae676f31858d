"""The partner's dashboard: the operational state of all tenants."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "partner_app.dashboard"

    def ready(self) -> None:
        """Subscribes to the end of runs."""
        from partner_app.dashboard import summaries  # models are loaded by now

        summaries.listen()
