"""Words of rooms that know no framework; they are translated where they are shown."""


def gettext_noop(text: str) -> str:
    """Marks them for `makemessages`."""
    return text
