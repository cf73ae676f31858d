"""The record of a handoff: one printable page, and a workbook of every line."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from openpyxl import Workbook

from partner_app.core import clock
from partner_app.core.spreadsheet import cell
from partner_app.core.templatetags.show import actor_words, money
from partner_app.estimates.models import LineMapping
from partner_app.handoffs.models import Action, Handoff, HandoffRow
from partner_app.handoffs.selectors import counts, divisions, planned_totals, rows_of

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = settings.ROOT / ".data" / "fonts"
DIVISIONS_SHOWN = 24  # on the one page; the workbook has every line
DIFF_HEAD = (
    gettext_lazy("WBS code"), gettext_lazy("Name"), gettext_lazy("Action"),
    gettext_lazy("Before"), gettext_lazy("After"), pgettext_lazy("of an amount", "Change"),
    gettext_lazy("State"), gettext_lazy("Note"),
)  # fmt: skip
LINE_HEAD = (
    gettext_lazy("Row"), gettext_lazy("Item"), gettext_lazy("Description"),
    gettext_lazy("Quantity"), gettext_lazy("Unit"), gettext_lazy("Unit price"),
    gettext_lazy("Amount"), gettext_lazy("WBS code"), gettext_lazy("To this code"),
    gettext_lazy("Why"),
)  # fmt: skip


def report_pdf(handoff: Handoff, *, company: str, names: Mapping[str, str]) -> bytes:
    """Inside tenant(). One page: what, who, when, from which file, and the sums."""
    from fpdf import FPDF  # imported here: it needs as much memory as the rest of a web process

    page = FPDF(format="letter", unit="pt")
    page.set_title(f"{_('Estimate handoff')} {handoff.estimate.file_name}")
    page.set_creator("Tieback")
    page.add_font("DejaVu", "", FONT / "DejaVuSans.ttf")
    page.add_font("DejaVu", "B", FONT / "DejaVuSans-Bold.ttf")
    page.set_margins(54, 48, 54)
    page.set_auto_page_break(auto=False)
    page.add_page()
    _text(page, _("Estimate handoff"), size=18, bold=True)
    _text(page, f"{company} · {handoff.estimate.file_name}", size=11)
    page.ln(8)
    for label, value in _facts(handoff, names):
        _pair(page, label, value)
    page.ln(8)
    _text(page, _("Budget by division"), size=12, bold=True)
    _table(page, handoff)
    page.set_y(-54)
    made = _("Created by Tieback, %(moment)s UTC") % {"moment": f"{clock.now():%Y-%m-%d %H:%M}"}
    _text(page, made, size=8)
    return bytes(page.output())


def diff_workbook(handoff: Handoff) -> bytes:
    """Inside tenant(). Every row of the plan, and the lines of the estimate behind it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Budget"))
    sheet.append([cell(sheet, str(name), bold=True) for name in DIFF_HEAD])
    for row in rows_of(handoff).iterator(chunk_size=2000):
        sheet.append([cell(sheet, value) for value in _diff_row(row)])
    lines = book.create_sheet(_("Estimate lines"))
    lines.append([cell(lines, str(name), bold=True) for name in LINE_HEAD])
    for values in _lines(handoff):
        lines.append([cell(lines, value) for value in values])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _facts(handoff: Handoff, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    estimate, totals, found = handoff.estimate, planned_totals(handoff), counts(handoff)

    def by(actor: str, moment: Any) -> str:
        when = f", {moment:%Y-%m-%d %H:%M} UTC" if moment else ""
        return f"{actor_words(actor, dict(names))}{when}" if actor else "–"

    yield _("State"), handoff.get_state_display()
    yield _("Total of the estimate"), money(handoff.total, handoff.currency)
    yield _("Budget of these codes before"), money(totals["before"], handoff.currency)
    yield _("Budget of these codes after"), money(totals["after"], handoff.currency)
    yield (
        _("Lines"),
        ", ".join(f"{found[a.value]} {a.label.lower()}" for a in Action if found[a.value]),
    )
    yield _("Imported by"), by(estimate.created_by, estimate.created_at)
    yield _("Planned by"), by(handoff.created_by, handoff.created_at)
    yield _("Submitted by"), by(handoff.submitted_by, handoff.submitted_at)
    yield _("Decided by"), by(handoff.decided_by, handoff.decided_at)
    yield _("Written by"), by(handoff.pushed_by, handoff.finished_at)
    if handoff.undo_asked_by:
        yield _("Undo requested by"), by(handoff.undo_asked_by, handoff.undo_asked_at)
    if handoff.undone_by:
        yield _("Undone by"), by(handoff.undone_by, handoff.undone_at)
    if handoff.comment:
        yield _("Comment"), handoff.comment
    yield _("SHA-256 of the file"), bytes(estimate.file_hash).hex()


def _table(page: FPDF, handoff: Handoff) -> None:
    found = divisions(handoff)
    shown = found[:DIVISIONS_SHOWN]
    page.set_font("DejaVu", "", 8)
    with page.table(
        text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT"),
        borders_layout="HORIZONTAL_LINES",
        line_height=13,
    ) as table:
        table.row((_("Division"), _("Before"), _("After"), pgettext("of an amount", "Change")))
        for each in shown:
            amounts = (each.before, each.after, each.change)
            table.row((each.code, *(money(amount, handoff.currency) for amount in amounts)))
        rest = found[DIVISIONS_SHOWN:]
        if rest:
            before = sum((each.before for each in rest), Decimal(0))
            after = sum((each.after for each in rest), Decimal(0))
            amounts = (before, after, after - before)
            label = _("%(number)s more divisions") % {"number": len(rest)}
            table.row((label, *(money(amount, handoff.currency) for amount in amounts)))


def _pair(page: FPDF, label: str, value: str) -> None:
    page.set_font("DejaVu", "B", 9)
    page.cell(170, 15, label)
    page.set_font("DejaVu", "", 9)
    page.multi_cell(0, 15, value, new_x="LMARGIN", new_y="NEXT")


def _text(page: FPDF, text: str, *, size: int, bold: bool = False) -> None:
    page.set_font("DejaVu", "B" if bold else "", size)
    page.multi_cell(0, size * 1.5, text, new_x="LMARGIN", new_y="NEXT")


def _diff_row(row: HandoffRow) -> tuple[object, ...]:
    before = row.before or Decimal(0)
    return (
        row.wbs_code,
        row.wbs_name,
        row.get_action_display(),
        row.before,
        row.after,
        row.after - before,
        row.get_state_display(),
        row.reason,
    )


def _lines(handoff: Handoff) -> Iterator[tuple[object, ...]]:
    rows = (
        LineMapping.objects.filter(line__estimate_id=handoff.estimate_id)
        .select_related("line")
        .order_by("line__row", "id")
    )
    for row in rows.iterator(chunk_size=2000):
        line = row.line
        yield (
            line.row,
            line.item_code,
            line.description,
            line.quantity,
            line.unit,
            line.unit_price,
            line.amount,
            row.wbs_code,
            row.amount,
            row.reason,
        )
