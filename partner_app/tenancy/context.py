"""Row-level security: which company the current transaction may see."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

SETTING = "tieback.company_id"


@contextmanager
def tenant(company_id: int) -> Iterator[None]:
    """Opens a transaction that sees and writes only rows of this company.

    The setting is local to the transaction, so a pooler may pass the server connection on, and the
    end of the transaction resets it. It would outlive a released savepoint; a nested use therefore
    restores the former value itself. Rolling back a savepoint restores it automatically.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting(%s, true), set_config(%s, %s, true)",
                [SETTING, SETTING, str(company_id)],
            )
            former = cursor.fetchone()[0] or ""
        yield
        if nested:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, former])
