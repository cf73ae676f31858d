"""Stores estimates, reads them again with a person's answers, and maps their lines."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from integrations.procore.resources.projects import Project
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock, sealing
from partner_app.core.errors import TiebackError
from partner_app.core.i18n import gettext_noop
from partner_app.core.logging import log
from partner_app.estimates.errors import (
    ChoosePart,
    EstimateUnknown,
    FileForgotten,
    LayoutAmbiguous,
    LayoutUnknown,
    ProjectUnknown,
)
from partner_app.estimates.mapping.assign import Targets, targets_for
from partner_app.estimates.mapping.file import MappingRules, read_rules
from partner_app.estimates.mapping.keep import Decisions, decisions_of
from partner_app.estimates.mapping.normalise import group_of
from partner_app.estimates.models import (
    Estimate,
    EstimateLine,
    EstimateOriginal,
    EstimateProblem,
    EstimateState,
    LineMapping,
)
from partner_app.estimates.reading.estimate import Answers
from partner_app.estimates.reading.layout import FileColumn
from partner_app.estimates.reading.lines import Line, Mending, Problem, Reading
from partner_app.estimates.reading.reader_process import read_apart
from partner_app.tabular.errors import FileUnreadable, ReadingError
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error

LARGEST_FILE = 50 * 1024 * 1024  # bytes
BATCH = 1000  # rows written at once
OPERATOR = "operator"
NO_SUGGESTIONS = gettext_noop(
    "No WBS codes could be suggested. Map the lines by hand, or upload the file again."
)
# Errors that a person can answer; any other error in a file is refused at once.
QUESTIONS = (ChoosePart, LayoutAmbiguous, LayoutUnknown)


class Follow:
    """Receives the progress of a reading, and may end it by raising; this one ignores it."""

    def say(self, step: str, done: int, total: int) -> None:
        """At least for each of `total` things; `step` is one of those that StepWords knows."""

    def end(self, estimate: Estimate) -> None:
        """Inside the transaction that stores what was read."""


NOBODY = Follow()


def import_estimate(
    *,
    file: Path,
    company_id: int,
    project_id: int,
    mapping: Path | None,
    dry_run: bool,
    part: str = "",
) -> dict[str, object]:
    """For an operator. A file with errors is not stored; all errors are reported together.

    Raises ReadingError, CompanyUnknown.
    """
    company_or_error(company_id)
    content = _content(file)
    reading = read_apart(file.name, content, Answers(part), settings.FILE_LIMITS)
    rules = read_rules(_content(mapping)) if mapping else MappingRules({})
    with tenant(company_id):
        require_project(company_id, project_id)
        targets = targets_for(company_id, project_id, rules=rules)
        estimate = None
        if not dry_run and not reading.errors:
            estimate = Estimate(company_id=company_id, project_id=project_id, part=part)
            _take(estimate, file.name, content, OPERATOR)
            _write(estimate, reading, targets, Decisions(), NOBODY)
    mapped = sum(1 for line in reading.lines if targets.of(line))
    answer: dict[str, object] = {
        "estimate_id": str(estimate.id) if estimate else None,
        "lines": len(reading.lines),
        "total": reading.total,
        "mapped": mapped,
        "unmapped": len(reading.lines) - mapped,
        "warnings": [asdict(problem) for problem in reading.warnings],
        "errors": [asdict(problem) for problem in reading.errors],
    }
    if reading.errors:
        answer["error"] = "estimate_has_errors"
    return answer


def take_estimate(
    *,
    company_id: int,
    project_id: int,
    name: str,
    content: bytes,
    actor: str,
    revision_of: UUID | None = None,
    follow: Follow = NOBODY,
) -> UUID:
    """For a viewer. Kept even where a question is open, so that nothing is lost.

    A revision takes over the decisions about the lines of the former estimate. Raises
    FileUnreadable, ProjectUnknown, EstimateUnknown.
    """
    _check_size(name, len(content))
    estimate = Estimate(company_id=company_id, project_id=project_id, revision_of_id=revision_of)
    found = _read(name, content, Answers(), follow)
    with tenant(company_id):
        require_project(company_id, project_id)
        decisions = Decisions()
        if revision_of:
            decisions = decisions_of(estimate_or_error(revision_of, project_id=project_id))
        _take(estimate, name, content, actor)
        _settle(estimate, found, decisions, follow)
    return estimate.id


def replace_file(
    *,
    company_id: int,
    estimate_id: UUID,
    name: str,
    content: bytes,
    actor: str,
    follow: Follow = NOBODY,
) -> None:
    """Takes a corrected file: decisions about its lines are kept.

    Answers about single rows are dropped, because rows may have moved. Raises FileUnreadable,
    EstimateUnknown.
    """
    _check_size(name, len(content))
    with tenant(company_id):
        answers = replace(_answers(estimate_or_error(estimate_id)), mending=Mending())
    found = _read(name, content, answers, follow)
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id, lock=True)
        decisions = decisions_of(estimate)
        estimate.mended, estimate.left_out = {}, []
        _take(estimate, name, content, actor)
        _settle(estimate, found, decisions, follow)


def answer(
    *,
    company_id: int,
    estimate_id: UUID,
    part: str | None = None,
    sheet: str | None = None,
    columns: Mapping[FileColumn, int] | None = None,
    cell: tuple[int, FileColumn, str] | None = None,
    leave_out: int | None = None,
    take_back: int | None = None,
    follow: Follow = NOBODY,
) -> None:
    """One more answer about the file, which is then read again; decisions are kept.

    Raises EstimateUnknown, FileForgotten. Nobody else may answer about it meanwhile.
    """

    def add_to(estimate: Estimate) -> None:
        if part is not None:
            estimate.part = part
        if sheet is not None:
            estimate.sheet = sheet
        if columns is not None:
            estimate.columns = {**estimate.columns, **{k.value: v for k, v in columns.items()}}
        if cell is not None:
            row, column, text = cell
            estimate.mended.setdefault(str(row), {})[column.value] = text
        if leave_out is not None:
            estimate.left_out = sorted({*estimate.left_out, leave_out})
        if take_back is not None:
            estimate.left_out = [row for row in estimate.left_out if row != take_back]

    with tenant(company_id):
        estimate = estimate_or_error(estimate_id)
        content = _original(estimate)
        add_to(estimate)
    found = _read(estimate.file_name, content, _answers(estimate), follow)
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id, lock=True)
        decisions = decisions_of(estimate)
        add_to(estimate)
        _settle(estimate, found, decisions, follow)


def delete_estimate(*, company_id: int, estimate_id: UUID, actor: str) -> None:
    """Raises EstimateUnknown. The caller makes sure that no handoff depends on it."""
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id, lock=True)
        record(Event.ESTIMATE_DELETED, actor=actor, company_id=company_id, subject=str(estimate_id))
        estimate.delete()


def estimate_or_error(
    estimate_id: UUID | str, *, lock: bool = False, project_id: int | None = None
) -> Estimate:
    """Inside tenant(); with `project_id`, only in that project. Raises EstimateUnknown."""
    rows = Estimate.objects.filter(id=estimate_id)
    if project_id is not None:
        rows = rows.filter(project_id=project_id)
    found = (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise EstimateUnknown(estimate_id=estimate_id)
    return found


def touch(estimate: Estimate) -> None:
    """Inside tenant(). Makes earlier plans stale."""
    Estimate.objects.filter(id=estimate.id).update(version=F("version") + 1)


def require_project(company_id: int, project_id: int) -> None:
    """Inside tenant(). Raises ProjectUnknown."""
    if not Project.objects.filter(company_id=company_id, remote_id=project_id).exists():
        raise ProjectUnknown(project_id=project_id)


def _content(file: Path) -> bytes:
    try:
        _check_size(file.name, file.stat().st_size)
        return file.read_bytes()
    except OSError as error:
        raise FileUnreadable(file=file.name, reason=error.strerror or "no access") from None


def _check_size(name: str, size: int) -> None:
    if size > LARGEST_FILE:
        raise FileUnreadable(file=name, reason="it is larger than 50 MB")


def _answers(estimate: Estimate) -> Answers:
    mended = {
        int(row): {FileColumn(name): text for name, text in cells.items()}
        for row, cells in estimate.mended.items()
    }
    columns = {FileColumn(name): place for name, place in estimate.columns.items()}
    mending = Mending(mended, frozenset(estimate.left_out))
    return Answers(estimate.part, estimate.sheet, columns, mending)


def _read(name: str, content: bytes, answers: Answers, follow: Follow) -> Reading | ReadingError:
    """A reading, or the question that must be answered first. Raises FileUnreadable."""
    try:
        return read_apart(name, content, answers, settings.FILE_LIMITS, follow.say)
    except QUESTIONS as question:
        return question


def _take(estimate: Estimate, name: str, content: bytes, actor: str) -> None:
    estimate.file_name, estimate.file_hash = name, hashlib.sha256(content).digest()
    estimate.total = 0
    if estimate._state.adding:
        estimate.created_at, estimate.created_by = clock.now(), actor
    estimate.save()
    EstimateOriginal.objects.update_or_create(
        estimate=estimate,
        defaults={
            "company_id": estimate.company_id,
            "content": sealing.seal(zlib.compress(content)),
            "stored_at": clock.now(),
        },
    )
    record(
        Event.ESTIMATE_IMPORTED,
        actor=actor,
        company_id=estimate.company_id,
        subject=str(estimate.id),
        sha256=estimate.file_hash.hex(),
    )


def _original(estimate: Estimate) -> bytes:
    """Raises FileForgotten."""
    kept = EstimateOriginal.objects.filter(estimate=estimate).first()
    if kept is None:
        raise FileForgotten
    return zlib.decompress(sealing.unseal(kept.content))


def _settle(
    estimate: Estimate, found: Reading | ReadingError, decisions: Decisions, follow: Follow
) -> None:
    """Inside tenant(): replaces the former lines by the result of a reading."""
    if isinstance(found, Reading):
        targets = targets_for(estimate.company_id, estimate.project_id)
        _write(estimate, found, targets, decisions, follow)
    else:
        _ask(estimate, found)
    follow.end(estimate)


def _ask(estimate: Estimate, found: ReadingError) -> None:
    estimate.state, estimate.question = EstimateState.ASKING, _question(found)
    estimate.total, estimate.version = 0, estimate.version + 1
    estimate.save()
    estimate.lines.all().delete()
    estimate.problems.all().delete()


def _question(error: TiebackError) -> dict[str, object]:
    details = {
        key: [{**part, "total": str(part["total"])} for part in value] if key == "parts" else value  # type: ignore[attr-defined]  # a list of parts
        for key, value in error.details.items()
    }
    return {
        "code": error.code,
        "message": error.message,
        "remedy": error.advice,
        **details,
    }


def _write(
    estimate: Estimate, reading: Reading, targets: Targets, decisions: Decisions, follow: Follow
) -> None:
    estimate.state, estimate.question = EstimateState.READ, {}
    estimate.total, estimate.version = reading.total, estimate.version + 1
    estimate.layout = {
        "sheet": reading.layout.sheet,
        "header_row": reading.layout.header_row,
        "headers": list(reading.layout.headers),
        "columns": {column.value: place for column, place in reading.layout.columns.items()},
        "currencies": sorted(reading.currencies),
    }
    estimate.save()
    estimate.lines.all().delete()
    estimate.problems.all().delete()
    EstimateProblem.objects.bulk_create(
        [
            *_problems(estimate, reading.errors, blocking=True),
            *_problems(estimate, reading.warnings, blocking=False),
        ],
        batch_size=BATCH,
    )
    for start in range(0, len(reading.lines), BATCH):
        follow.say("lines", start, len(reading.lines))
        _write_lines(estimate, reading.lines[start : start + BATCH], targets, decisions)
    _suggest(estimate, reading, targets, follow)


def _write_lines(
    estimate: Estimate, read: Iterable[Line], targets: Targets, decisions: Decisions
) -> None:
    company_id = estimate.company_id
    lines, found = [], []
    for line in read:
        group = group_of(line.item_code, line.description, line.unit, line.cost_type)
        assigned = decisions.of(group, line.amount, targets.codes) or targets.of(line)
        lines.append(
            EstimateLine(
                company_id=company_id,
                estimate=estimate,
                group=group,
                mapped=bool(assigned),
                **asdict(line),
            )
        )
        found.append(assigned)
    stored = EstimateLine.objects.bulk_create(lines)
    LineMapping.objects.bulk_create(
        [
            LineMapping(company_id=company_id, line=line, **asdict(target))
            for line, assigned in zip(stored, found, strict=True)
            for target in assigned
        ],
        batch_size=BATCH,
    )


def _suggest(estimate: Estimate, reading: Reading, targets: Targets, follow: Follow) -> None:
    """Suggestions are optional: a fault in them must not lose the file that was read."""
    try:
        with transaction.atomic():
            targets.suggest(estimate, follow.say)
    except ReadingError:
        raise  # a cancellation
    except Exception as error:  # noqa: BLE001  # whatever it is, the lines are stored
        log.error("suggestions.failed", estimate_id=str(estimate.id), exc_info=error)
        problem = Problem(reading.layout.header_row, "", NO_SUGGESTIONS)
        EstimateProblem.objects.bulk_create(_problems(estimate, [problem], blocking=False))


def _problems(
    estimate: Estimate, found: Iterable[Problem], *, blocking: bool
) -> list[EstimateProblem]:
    return [
        EstimateProblem(
            company_id=estimate.company_id, estimate=estimate, blocking=blocking, **asdict(problem)
        )
        for problem in found
    ]
