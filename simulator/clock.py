"""The simulator's own time, which a test may set ahead or back."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Aware UTC. `skew` moves the simulator's time only, not the machine's."""

    def __init__(self) -> None:
        self.skew = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with Z and microseconds, as Procore writes times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
