"""One Django app for the whole mirror."""

from django.apps import AppConfig


class ProcoreConfig(AppConfig):
    name = "integrations.procore"
    label = "procore"
