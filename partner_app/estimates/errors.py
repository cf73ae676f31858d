"""Errors of estimates: a file that cannot be read, and answers that do not fit."""

from collections.abc import Mapping
from dataclasses import dataclass

from partner_app.core.errors import TiebackError
from partner_app.core.i18n import gettext_noop
from partner_app.tabular.errors import FileTakesLong, FileUnreadable, ReadingError


@dataclass(frozen=True)
class Refusal:
    """An error as it is stored, in the form that pages show; translated only when shown."""

    code: str
    user_message: str
    remedy: str
    facts: Mapping[str, str]
    status: int

    @classmethod
    def of(cls, error: TiebackError) -> "Refusal":
        facts = {name: str(value) for name, value in error.facts.items()}
        return cls(error.code, error.user_message, error.remedy, facts, error.status)


class FileTakesMuch(FileUnreadable):
    code = "estimate.file_takes_much"
    user_message = gettext_noop("{file} needs more memory than we allow for one file.")
    remedy = FileTakesLong.remedy


class FileSaysMuch(FileUnreadable):
    code = "estimate.file_says_much"
    user_message = gettext_noop("{file} contains more text than an estimate may have.")
    remedy = FileTakesLong.remedy


class ReaderBroke(FileUnreadable):
    """Not a refusal by a rule: another attempt may succeed, so the file is kept.

    `place` is where the reader failed, for the log.
    """

    code = "estimate.reader_broke"
    user_message = gettext_noop("{file} could not be read to the end.")
    remedy = gettext_noop(
        "Read it again. If that does not help, save it again in the program that made it and "
        "upload that file."
    )


class ReadingUnknown(ReadingError):
    code = "estimate.reading_unknown"
    user_message = gettext_noop("This file is no longer kept.")
    remedy = gettext_noop("Upload it again. A file that was not read is kept for one day.")
    status = 404


class ReadingCancelled(ReadingError):
    code = "estimate.reading_cancelled"
    user_message = gettext_noop("You cancelled before the file was read.")
    remedy = gettext_noop("The file is kept for one day: read it again, or discard it.")


class PageClosed(ReadingError):
    code = "estimate.page_closed"
    user_message = gettext_noop("The page was closed before the file was read.")
    remedy = gettext_noop("The file is kept for one day: read it again, or discard it.")


class FilesWait(ReadingError):
    code = "estimate.files_wait"
    user_message = gettext_noop(
        "Your company already has {count} files waiting to be read, the most we keep."
    )
    remedy = gettext_noop(
        "Discard some on the project’s estimates page, or wait until they are read."
    )
    status = 409


class FileForgotten(ReadingError):
    code = "estimate.file_forgotten"
    user_message = gettext_noop("The original file is no longer kept.")
    remedy = gettext_noop("Upload the file again; your mapping is kept.")
    status = 409


class LayoutUnknown(ReadingError):
    code = "estimate.layout_unknown"
    user_message = gettext_noop("No row looks like a header: the file lacks {missing}.")
    remedy = gettext_noop(
        "Name the columns, for example Item, Description, Quantity, Unit, Unit Price, Amount."
    )


class LayoutAmbiguous(ReadingError):
    """`details` hold the sheets, or the column and the places (from 0) of those that fit it."""

    code = "estimate.layout_ambiguous"
    user_message = gettext_noop("The estimate could be read in more than one way: {choices}.")
    remedy = gettext_noop("Choose which one to use, or keep only that one in the file.")

    def __init__(self, choices: str, **details: object) -> None:
        super().__init__(choices=choices)
        self.details |= details


class ChoosePart(ReadingError):
    """Several contracts or bidders in one file; `details` say which, with lines and totals."""

    code = "estimate.choose_part"
    user_message = gettext_noop("The file contains {count} estimates: {names}.")
    remedy = gettext_noop(
        "Choose which one to import: by its contract, or by its contract and bidder."
    )

    def __init__(self, parts: list[dict[str, object]]) -> None:
        names = ", ".join(str(part["name"]) for part in parts[:5])
        super().__init__(count=len(parts), names=names + (" …" if len(parts) > 5 else ""))
        self.details["parts"] = parts


class MappingUnreadable(ReadingError):
    code = "estimate.mapping_unreadable"
    user_message = "The mapping file, row {row}: {reason}."
    remedy = "Its columns are item_code, wbs_code and percent. Correct the row and import again."


class NotYours(ReadingError):
    code = "estimate.not_yours"
    user_message = gettext_noop("This estimate was imported by someone else.")
    remedy = gettext_noop(
        "That person can change it, and so can anyone who may edit the budget in Procore."
    )
    status = 403


class EstimateUnknown(ReadingError):
    code = "estimate.unknown"
    user_message = gettext_noop("There is no estimate {estimate_id}.")
    remedy = gettext_noop("Open it from the project’s estimates.")
    status = 404


class ProjectUnknown(ReadingError):
    code = "estimate.project_unknown"
    user_message = "Project {project_id} is not among this company’s synced projects."
    remedy = "Add the project to the app’s permitted projects in Procore, then sync."
    status = 404


class CodeUnknown(ReadingError):
    code = "estimate.code_unknown"
    user_message = gettext_noop("{wbs_code} is not an active WBS code of this project.")
    remedy = gettext_noop("Choose one from the list, or add it to the project in Procore and sync.")


class SplitUneven(ReadingError):
    code = "estimate.split_uneven"
    user_message = gettext_noop("The shares add up to {total} percent, not 100.")
    remedy = gettext_noop("Change the shares so that they add up to 100 percent.")
