"""The partner's room: what all tenants look like from the outside."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "partner_app.dashboard"

    def ready(self) -> None:
        """Begins to hear of runs that end."""
        from partner_app.dashboard import summaries  # models are loaded by now

        summaries.listen()
