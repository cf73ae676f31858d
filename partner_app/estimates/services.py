"""Storing an estimate with where its lines go."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from integrations.procore.resources.projects import Project
from integrations.procore.resources.wbs_codes import WbsCode
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.estimates.errors import FileUnreadable, ProjectUnknown
from partner_app.estimates.mapping.file import HUNDRED, Rules, read_rules
from partner_app.estimates.mapping.memory import Memory, recall_all
from partner_app.estimates.models import Estimate, EstimateLine, LineMapping
from partner_app.estimates.reading.estimate import read_estimate
from partner_app.estimates.reading.lines import Line, Reading
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error

LARGEST_FILE = 50 * 1024 * 1024  # bytes


def import_estimate(
    *,
    file: Path,
    company_id: int,
    project_id: int,
    mapping: Path | None,
    dry_run: bool,
    part: str = "",
) -> dict[str, object]:
    """Recognises, validates and stores. A file with errors is not stored; all are told at once.

    Raises ReadingError, CompanyUnknown.
    """
    company_or_error(company_id)
    content = _content(file)
    reading = read_estimate(file.name, content, part=part)
    rules = read_rules(_content(mapping)) if mapping else Rules({})
    with tenant(company_id):
        here = {"company_id": company_id}
        if not Project.objects.filter(**here, remote_id=project_id).exists():
            raise ProjectUnknown(project_id=project_id)
        codes = set(
            WbsCode.objects.filter(**here, project_id=project_id).values_list(
                "flat_code", flat=True
            )
        )
        targets = Targets(rules, recall_all(company_id), codes)
        estimate = None
        if not dry_run and not reading.errors:
            estimate = _store(company_id, project_id, file.name, content, reading, targets)
    mapped = sum(1 for line in reading.lines if any(targets.of(line)))
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


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise FileUnreadable(file=file.name, reason="it is larger than 50 MB")
        return file.read_bytes()
    except OSError as error:
        raise FileUnreadable(file=file.name, reason=error.strerror or "no access") from None


def _store(
    company_id: int,
    project_id: int,
    name: str,
    content: bytes,
    reading: Reading,
    targets: "Targets",
) -> Estimate:
    estimate = Estimate.objects.create(
        company_id=company_id,
        project_id=project_id,
        file_name=name,
        file_hash=hashlib.sha256(content).digest(),
        total=reading.total,
        created_at=clock.now(),
    )
    lines = EstimateLine.objects.bulk_create(
        [
            EstimateLine(company_id=company_id, estimate=estimate, **asdict(line))
            for line in reading.lines
        ]
    )
    LineMapping.objects.bulk_create(
        [
            LineMapping(
                company_id=company_id, line=stored, wbs_code=code, amount=amount, reason=reason
            )
            for stored, line in zip(lines, reading.lines, strict=True)
            for code, amount, reason in targets.of(line)
        ]
    )
    record(
        Event.ESTIMATE_IMPORTED,
        actor="operator",
        company_id=company_id,
        subject=str(estimate.id),
        lines=len(lines),
    )
    return estimate


@dataclass(frozen=True)
class Targets:
    """Where lines go, by evidence in order: the file's rules, exact codes, the company's memory."""

    rules: Rules
    memory: Memory
    codes: set[str]  # flat codes of the project

    def of(self, line: Line) -> Iterator[tuple[str, Decimal, str]]:
        """WBS code, exact share of the amount, and why. The last share takes what is left."""
        shares, pattern = self.rules.for_code(line.item_code)
        if not shares:
            code, reason = self._without_rule(line)
            if code:
                yield code, line.amount, reason
            return
        left = line.amount
        for share in shares[:-1]:
            part = line.amount * share.percent / HUNDRED
            left -= part
            yield share.wbs_code, part, f"mapping file: {pattern}"
        yield shares[-1].wbs_code, left, f"mapping file: {pattern}"

    def _without_rule(self, line: Line) -> tuple[str, str]:
        """Memory counts where the project has the code: another project may lack it."""
        if line.item_code in self.codes:
            return line.item_code, "the item code is a WBS code"
        code, reason = self.memory.recall(line)
        return (code, reason) if code in self.codes else ("", "")
