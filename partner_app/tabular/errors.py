"""Errors of reading a file."""

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.i18n import gettext_noop


class ReadingError(TiebackError):
    code = "estimate.unreadable"
    blame = Blame.TENANT
    status = 422


class FileUnreadable(ReadingError):
    code = "estimate.file_unreadable"
    user_message = gettext_noop("{file} cannot be read: {reason}.")
    remedy = gettext_noop("Upload a CSV, XLSX or XLS file with a header row.")


class FileTakesLong(FileUnreadable):
    code = "estimate.file_takes_long"
    user_message = gettext_noop("{file} takes more than {seconds} seconds to read.")
    remedy = gettext_noop(
        "Remove sheets, rows and columns that are not needed, and upload it again."
    )
