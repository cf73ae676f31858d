"""The cost of a scheduler tick with 100 to 100,000 companies, ten of which are due."""

import argparse
import json
import statistics
import sys
import time
from datetime import timedelta

import django
from django.core.management import call_command
from django.db import connection

from tests.environment import services

SIZES = (100, 1_000, 10_000, 100_000)
DUE = 10
ROUNDS = 20


def main() -> int:
    argparse.ArgumentParser(prog="benchmarks.tick", description=__doc__).parse_args()
    django.setup()
    from integrations.procore.sync.models import DueWork  # after django.setup()
    from integrations.procore.sync.schedule import (
        claim_due,
        schedule_new_companies,
        wake_companies_with_pending_events,
    )
    from partner_app.core import clock
    from partner_app.tenancy.models import Company, CompanyState

    services()
    call_command("provision_database", stdout=sys.stderr)
    call_command("migrate", verbosity=0)
    call_command("provision_database", stdout=sys.stderr)
    result = {}
    made = 0
    now = clock.now()
    for size in SIZES:
        Company.objects.bulk_create(
            Company(id=number, name=f"Company {number}", state=CompanyState.ACTIVE, state_since=now)
            for number in range(made + 1, size + 1)
        )
        made = size
        schedule_new_companies()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE procore_duework")
        seconds = []
        for _ in range(ROUNDS):
            later = clock.now() + timedelta(hours=1)
            DueWork.objects.update(due_at=later, leased_until=None)
            DueWork.objects.filter(company_id__lte=DUE).update(due_at=clock.now())
            began = time.perf_counter()
            schedule_new_companies()
            wake_companies_with_pending_events()
            claimed = claim_due()
            seconds.append(time.perf_counter() - began)
            assert len(claimed) == DUE
        result[size] = round(statistics.median(seconds) * 1000, 2)
        print(f"{size:>8} companies {result[size]:>8} ms a tick", file=sys.stderr)
    print(json.dumps({"tick_ms_by_companies": result}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
