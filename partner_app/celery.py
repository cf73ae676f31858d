"""Celery sends wake-up messages only. Pending, running and finished work is in Postgres."""

import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import (
    before_task_publish,
    heartbeat_sent,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
)

from partner_app.core import tracing
from partner_app.core.heartbeats import SCHEDULER, beat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_app.settings")

app = Celery("tieback")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        "integrations.procore.sync",
        "integrations.procore.webhooks",
        "partner_app.connections",
        "partner_app.dashboard",
        "partner_app.estimates",
        "partner_app.handoffs",
        "partner_app.insights",
    ]
)


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Django has already configured logging; Celery must not do it again."""


@heartbeat_sent.connect
def _worker_lives(sender: Any, **_: object) -> None:
    beat(str(sender.eventer.hostname))


@before_task_publish.connect(sender="integrations.procore.sync.tasks.wake")
def _scheduler_lives(**_: object) -> None:
    """Only the scheduler sends this task."""
    beat(SCHEDULER)


@task_prerun.connect
def _name_the_task(task_id: str, task: Any, **_: object) -> None:
    """Every line logged during the task carries its name."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task_id=task_id, task=task.name.rpartition(".")[2])


@task_postrun.connect
def _forget_the_task(**_: object) -> None:
    structlog.contextvars.clear_contextvars()


@worker_process_init.connect
def _trace(**_: object) -> None:
    tracing.start("worker")
