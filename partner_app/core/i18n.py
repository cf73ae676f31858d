"""Translatable texts in modules that do not import Django; they are translated where shown."""


def gettext_noop(text: str) -> str:
    """Marks them for `makemessages`."""
    return text
