"""Operational tables partitioned by month, which the app creates ahead and drops when past.

Such a model has a column `month`, the first day of one, which never changes for a row, and gives as
`monthly` how many days a partition is kept after its month. The app's role owns no table, so two
functions of the schema's owner do it, for such tables only; they are in tenancy's migrations. Rows
are still deleted by their day (tenancy.retention): a past partition is empty by then, and dropping
it frees its disk and its indexes.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from django.apps import apps
from django.db import OperationalError, connection, models

from partner_app.core import clock
from partner_app.core.logging import log

AHEAD = 2  # months besides this one, so that a worker that is away for weeks loses nothing
MAKE = "SELECT tieback_make_month(%s, %s)"
DROP = "SELECT tieback_drop_months(%s, %s)"


def month_of(day: date) -> date:
    return date(day.year, day.month, 1)


def keep_months() -> list[str]:
    """Creates partitions needed soon and drops past ones; returns the names of both.

    A table in use at that moment is left for the next time: until then its rows go to the default
    partition, and are moved later.
    """
    today, changed = clock.now().date(), []
    for model in _monthly():
        table, kept = model._meta.db_table, timedelta(days=model.monthly)  # type: ignore[attr-defined]  # each of them
        statements = [(MAKE, month) for month in _from(today)] + [(DROP, today - kept)]
        for statement, day in statements:
            try:
                with connection.cursor() as cursor:
                    cursor.execute(statement, [table, day])
                    changed += [name for (names,) in cursor.fetchall() for name in names or ()]
            except OperationalError as error:
                log.info("partitions.busy", table=table, error=str(error).strip())
    return changed


def _monthly() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if getattr(model, "monthly", None)]


def _from(day: date) -> Iterator[date]:
    month = month_of(day)
    for _ in range(AHEAD + 1):
        yield month
        month = month_of(month + timedelta(days=31))
