"""Help pages, questions to support, and what support needs to answer them."""

from django.apps import AppConfig


class HelpConfig(AppConfig):
    name = "partner_app.help"
