"""Errors of estimates: a file that cannot be read, and answers that do not fit."""

from collections.abc import Mapping
from dataclasses import dataclass

from partner_app.core.errors import Blame, TiebackError
from partner_app.core.i18n import gettext_noop


@dataclass(frozen=True)
class Refusal:
    """An error as it was kept, in the form that pages show; in the reader's language only there."""

    code: str
    user_message: str
    remedy: str
    facts: Mapping[str, str]
    status: int

    @classmethod
    def of(cls, error: TiebackError) -> "Refusal":
        facts = {name: str(value) for name, value in error.facts.items()}
        return cls(error.code, error.user_message, error.remedy, facts, error.status)


class ReadingError(TiebackError):
    code = "estimate.unreadable"
    blame = Blame.TENANT
    status = 422


class FileUnreadable(ReadingError):
    code = "estimate.file_unreadable"
    user_message = gettext_noop("{file} cannot be read: {reason}.")
    remedy = gettext_noop("Give a CSV, XLSX or XLS file with a header row.")


class FileTakesLong(FileUnreadable):
    code = "estimate.file_takes_long"
    user_message = gettext_noop("{file} takes more than {seconds} seconds to read.")
    remedy = gettext_noop(
        "Leave out sheets, rows and columns that are not needed, and give it once more."
    )


class FileTakesMuch(FileUnreadable):
    code = "estimate.file_takes_much"
    user_message = gettext_noop("{file} needs more memory than a file may take.")
    remedy = FileTakesLong.remedy


class FileSaysMuch(FileUnreadable):
    code = "estimate.file_says_much"
    user_message = gettext_noop("{file} holds more text than an estimate may have.")
    remedy = FileTakesLong.remedy


class ReaderBroke(FileUnreadable):
    """By no rule of ours: another attempt may end otherwise, so the file is kept. `place` is where,
    for the log.
    """

    code = "estimate.reader_broke"
    user_message = gettext_noop("{file} could not be read to its end.")
    remedy = gettext_noop(
        "Read it again. If it stays so, save it in its own program once more and give that file."
    )


class ReadingUnknown(ReadingError):
    code = "estimate.reading_unknown"
    user_message = gettext_noop("This file is not kept any more.")
    remedy = gettext_noop("Give it once more. A file that was not read is kept for a day.")
    status = 404


class ReadingCancelled(ReadingError):
    code = "estimate.reading_cancelled"
    user_message = gettext_noop("You stopped it before the file was read.")
    remedy = gettext_noop("The file is kept for a day: read it again, or discard it.")


class PageClosed(ReadingError):
    code = "estimate.page_closed"
    user_message = gettext_noop("The page was closed before the file was read.")
    remedy = gettext_noop("The file is kept for a day: read it again, or discard it.")


class FilesWait(ReadingError):
    code = "estimate.files_wait"
    user_message = gettext_noop("{count} files of your company are kept that nobody has read yet.")
    remedy = gettext_noop("Discard some on the page of the estimates, or wait until they are read.")
    status = 409


class FileForgotten(ReadingError):
    code = "estimate.file_forgotten"
    user_message = gettext_noop("The original file is no longer kept.")
    remedy = gettext_noop("Give the file once more; what was decided for its lines stays.")
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
    remedy = gettext_noop("Say which one counts, or leave only that one in the file.")

    def __init__(self, choices: str, **details: object) -> None:
        super().__init__(choices=choices)
        self.details |= details


class ChoosePart(ReadingError):
    """Several contracts or bidders in one file; `details` say which, with lines and totals."""

    code = "estimate.choose_part"
    user_message = gettext_noop("The file holds {count} estimates: {names}.")
    remedy = gettext_noop("Say which one to import: its contract, or its contract and bidder.")

    def __init__(self, parts: list[dict[str, object]]) -> None:
        names = ", ".join(str(part["name"]) for part in parts[:5])
        super().__init__(count=len(parts), names=names + (" …" if len(parts) > 5 else ""))
        self.details["parts"] = parts


class MappingUnreadable(ReadingError):
    code = "estimate.mapping_unreadable"
    user_message = "The mapping file, row {row}: {reason}."
    remedy = "Its columns are item_code, wbs_code, percent; mend the row and import again."


class NotYours(ReadingError):
    code = "estimate.not_yours"
    user_message = gettext_noop("Somebody else has brought this estimate in.")
    remedy = gettext_noop(
        "They can change it, and so can everybody who may edit the budget in Procore."
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
    remedy = "Permit the project for the app in Procore, then sync."
    status = 404


class CodeUnknown(ReadingError):
    code = "estimate.code_unknown"
    user_message = gettext_noop("{wbs_code} is not an active WBS code of this project.")
    remedy = gettext_noop("Choose one from the list, or add it to the project in Procore and sync.")


class SplitUneven(ReadingError):
    code = "estimate.split_uneven"
    user_message = gettext_noop("The shares add up to {total} percent, not 100.")
    remedy = gettext_noop("Change a share so that all of them make 100 percent.")
