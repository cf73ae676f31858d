"""Fails when a model changed without its migration."""

import sys

import django
from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState


def main() -> int:
    django.setup()
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    ours = {
        label for label in changes if apps.get_app_config(label).name.split(".")[0] != "allauth"
    }
    if ours:
        print("Run manage.py makemigrations: " + ", ".join(sorted(ours)))
    return 1 if ours else 0


if __name__ == "__main__":
    sys.exit(main())
