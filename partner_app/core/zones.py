"""A project's day: Procore names time zones as IANA does, or as Rails does."""

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Rails' own names in use in North America, where Procore's customers mostly are
# [api.rubyonrails.org, ActiveSupport::TimeZone].
RAILS = {
    "Alaska": "America/Juneau",
    "Arizona": "America/Phoenix",
    "Atlantic Time (Canada)": "America/Halifax",
    "Central Time (US & Canada)": "America/Chicago",
    "Eastern Time (US & Canada)": "America/New_York",
    "Hawaii": "Pacific/Honolulu",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "Mountain Time (US & Canada)": "America/Denver",
    "Newfoundland": "America/St_Johns",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Saskatchewan": "America/Regina",
}


def zone(name: str) -> tzinfo:
    """An unknown name counts as UTC."""
    try:
        return ZoneInfo(RAILS.get(name, name) or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def local_day(moment: datetime, zone_name: str) -> date:
    return moment.astimezone(zone(zone_name)).date()
