"""What a later sync asks for, so that nothing slips between two of them. Pure."""

from datetime import datetime, timedelta

# Rows committed late, or stamped by another of Procore's clocks, fall behind the cursor by seconds;
# the overlap reads them again. Unchanged rows cost a comparison and no write.
OVERLAP = timedelta(minutes=2)
# The far end of the window: Procore's clock may be ahead of ours.
AHEAD = timedelta(days=1)


def window(updated_to: datetime, now: datetime) -> tuple[datetime, datetime]:
    """From a little before the newest stamp seen, to a day from now."""
    return updated_to - OVERLAP, max(now, updated_to) + AHEAD


def advance(updated_to: datetime | None, seen: datetime | None) -> datetime | None:
    """The newest stamp of Procore's that was read; never back."""
    if updated_to is None or seen is None:
        return updated_to or seen
    return max(updated_to, seen)


def not_ahead(stamp: datetime | None, now: datetime) -> datetime | None:
    """A stamp of years to come would hide every change until then: it moves no cursor."""
    return stamp if stamp is not None and stamp <= now + AHEAD else None
