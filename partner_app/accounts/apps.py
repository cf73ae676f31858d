"""Connects the sign-in signals once Django is ready."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "partner_app.accounts"

    def ready(self) -> None:
        from partner_app.accounts import signals  # noqa: F401  # connects the receivers
