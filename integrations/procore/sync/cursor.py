"""What a later sync requests, so that no change is lost between two syncs. Pure."""

from datetime import datetime, timedelta

# Rows committed late, or stamped by another of Procore's clocks, fall behind the cursor by seconds;
# the overlap reads them again. Unchanged rows cost a comparison and no write.
OVERLAP = timedelta(minutes=2)
# The end of the window: Procore's clock may be ahead of ours.
AHEAD = timedelta(days=1)


def window(updated_to: datetime, now: datetime) -> tuple[datetime, datetime]:
    """From shortly before the newest stamp seen to a day from now."""
    return updated_to - OVERLAP, max(now, updated_to) + AHEAD


def advance(updated_to: datetime | None, seen: datetime | None) -> datetime | None:
    """The newest Procore stamp that was read; never moves back."""
    if updated_to is None or seen is None:
        return updated_to or seen
    return max(updated_to, seen)


def not_ahead(stamp: datetime | None, now: datetime) -> datetime | None:
    """A stamp years ahead would hide every change until then, so it does not move the cursor."""
    return stamp if stamp is not None and stamp <= now + AHEAD else None
