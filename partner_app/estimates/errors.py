"""TiebackError ── ReadingError ─ FileUnreadable  MappingUnreadable  EstimateHasErrors
EstimateUnknown  ProjectUnknown"""

from partner_app.core.errors import Blame, TiebackError


class ReadingError(TiebackError):
    code = "estimate.unreadable"
    blame = Blame.TENANT
    status = 422


class FileUnreadable(ReadingError):
    code = "estimate.file_unreadable"
    user_message = "{file} cannot be read: {reason}."
    remedy = "Give a CSV file in UTF-8 with a header row."


class LayoutUnknown(ReadingError):
    code = "estimate.layout_unknown"
    user_message = "The header row lacks: {missing}."
    remedy = "The columns are Pay Item, Description, Quantity, Unit, Unit Price, Extension."


class MappingUnreadable(ReadingError):
    code = "estimate.mapping_unreadable"
    user_message = "The mapping file, row {row}: {reason}."
    remedy = "Its columns are item_code, wbs_code, percent; mend the row and import again."


class EstimateUnknown(ReadingError):
    code = "estimate.unknown"
    user_message = "There is no estimate {estimate_id}."
    remedy = "import_estimate prints the id of each estimate that it stores."
    status = 404


class ProjectUnknown(ReadingError):
    code = "estimate.project_unknown"
    user_message = "Project {project_id} is not among this company’s synced projects."
    remedy = "Permit the project for the app in Procore, then sync."
    status = 404
