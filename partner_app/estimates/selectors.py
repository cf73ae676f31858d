"""Reads estimates for pages: the preview, groups to map, progress, codes to choose."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.procore.resources.wbs_codes import WbsCode
from partner_app.estimates.errors import ReaderBroke
from partner_app.estimates.mapping.suggest import PRESELECTED
from partner_app.estimates.models import (
    Estimate,
    EstimateLine,
    EstimateProblem,
    FileReading,
    LineMapping,
    ReadingState,
)
from partner_app.estimates.reading.layout import FileColumn

CODES_SHOWN = 12
PREVIEW = 8  # lines
ZERO = Decimal(0)
COLUMN_LABELS = {  # those that a person may correct
    FileColumn.ITEM_CODE: gettext_lazy("Item"),
    FileColumn.DESCRIPTION: gettext_lazy("Description"),
    FileColumn.QUANTITY: gettext_lazy("Quantity"),
    FileColumn.UNIT: gettext_lazy("Unit"),
    FileColumn.UNIT_PRICE: gettext_lazy("Unit price"),
    FileColumn.AMOUNT: gettext_lazy("Amount"),
}


@dataclass(frozen=True)
class CodeChoice:
    """A WBS code of the project, as people read it."""

    code: str
    name: str


@dataclass
class LineGroup:
    """Lines that are mapped together. `targets` are their codes, with reasons."""

    key: str
    item_code: str
    description: str
    unit: str
    lines: int
    amount: Decimal
    row: int
    suggestions: list[dict[str, str]]
    targets: list[LineMapping] = field(default_factory=list)


@dataclass(frozen=True)
class MappingStatus:
    """How far the mapping of an estimate is. `sure` lines have a preselected suggestion."""

    lines: int
    mapped_lines: int
    total: Decimal
    mapped_total: Decimal
    sure: int
    groups: int
    open_groups: int
    blocking: int

    @property
    def open(self) -> int:
        return self.lines - self.mapped_lines

    @property
    def ready(self) -> bool:
        return self.lines > 0 and not self.open and not self.blocking


def standing(estimate: Estimate) -> MappingStatus:
    """One query of the lines, whatever is requested of them."""
    is_open, is_mapped = Q(mapped=False), Q(mapped=True)
    sure = is_open & Q(suggestions__0__confidence__gte=str(PRESELECTED))
    sums: dict[str, Any] = EstimateLine.objects.filter(estimate=estimate).aggregate(
        lines=Count("id"),
        mapped_lines=Count("id", filter=is_mapped),
        total=Sum("amount", default=ZERO),
        mapped_total=Sum("amount", filter=is_mapped, default=ZERO),
        sure=Count("id", filter=sure),
        groups=Count("group", distinct=True),
        open_groups=Count("group", distinct=True, filter=is_open),
    )
    blocking = EstimateProblem.objects.filter(estimate=estimate, blocking=True).count()
    return MappingStatus(**sums, blocking=blocking)


def groups(estimate: Estimate, *, only_open: bool, text: str = "") -> "QuerySet[Any, Any]":
    """One row per group, the largest amounts first among those that are open."""
    lines = EstimateLine.objects.filter(estimate=estimate)
    if only_open:
        lines = lines.filter(mapped=False)
    if text:
        lines = lines.filter(Q(description__icontains=text) | Q(item_code__icontains=text))
    return (
        lines.values("group")
        .annotate(first=Min("id"), number=Count("id"), amount=Sum("amount"), row=Min("row"))
        .order_by("row")
    )


def filled(estimate: Estimate, rows: Iterable[dict[str, Any]]) -> list[LineGroup]:
    """The groups of one page, with words, suggestions and targets: two queries."""
    found = list(rows)
    lines = EstimateLine.objects.in_bulk([row["first"] for row in found])
    targets: dict[int, list[LineMapping]] = {}
    for mapping in LineMapping.objects.filter(line__in=lines).order_by("id"):
        targets.setdefault(mapping.line_id, []).append(mapping)
    return [
        LineGroup(
            key=row["group"],
            item_code=line.item_code,
            description=line.description,
            unit=line.unit,
            lines=row["number"],
            amount=row["amount"],
            row=row["row"],
            suggestions=line.suggestions,
            targets=targets.get(line.id, []),
        )
        for row in found
        for line in [lines[row["first"]]]
    ]


def names_of(estimate: Estimate) -> dict[str, str]:
    """Names of all WBS codes that the estimate's lines are mapped to or might be."""
    rows = WbsCode.objects.filter(company_id=estimate.company_id, project_id=estimate.project_id)
    return dict(rows.values_list("flat_code", "flat_name"))


def choices(estimate: Estimate, text: str) -> list[CodeChoice]:
    """Active WBS codes whose code or name has all the words of `text`."""
    rows = WbsCode.objects.filter(
        company_id=estimate.company_id, project_id=estimate.project_id, status="active"
    )
    for word in text.split():
        rows = rows.filter(Q(flat_code__icontains=word) | Q(flat_name__icontains=word))
    shown = rows.order_by("flat_code")[:CODES_SHOWN]
    return [CodeChoice(row.flat_code, row.flat_name) for row in shown]


def problems(estimate: Estimate) -> "QuerySet[EstimateProblem]":
    """Blocking problems first, then in the order of the file."""
    return EstimateProblem.objects.filter(estimate=estimate).order_by("-blocking", "row", "id")


def preview(estimate: Estimate) -> list[EstimateLine]:
    return list(EstimateLine.objects.filter(estimate=estimate).order_by("row")[:PREVIEW])


def unfinished(company_id: int, project_id: int) -> list[FileReading]:
    """Inside tenant(). Files that wait, are being read, or may be read again: newest first."""
    rows = FileReading.objects.filter(company_id=company_id, project_id=project_id)
    stopped = Q(state__in=(ReadingState.WAITING, ReadingState.CANCELLED))
    broke = Q(state=ReadingState.REFUSED, error__code=ReaderBroke.code)
    return list(rows.filter(stopped | broke).order_by("-created_at"))


def columns_of(estimate: Estimate) -> list[dict[str, object]]:
    """For each column that we know: its name, the choices, and the current one."""
    headers = estimate.layout.get("headers", [])
    found = estimate.layout.get("columns", {})
    return [
        {
            "field": column.value,
            "label": label,
            "place": found.get(column.value),
            "headers": [
                {"place": place, "name": name or _("Column %(number)s") % {"number": place + 1}}
                for place, name in enumerate(headers)
            ],
        }
        for column, label in COLUMN_LABELS.items()
    ]


def exact_sums(estimate: Estimate) -> tuple[dict[str, Decimal], int]:
    """Unrounded sums by WBS code, and the number of unmapped lines."""
    rows = LineMapping.objects.filter(line__estimate=estimate)
    sums = dict(rows.values_list("wbs_code").annotate(total=Sum("amount")).order_by())
    return sums, EstimateLine.objects.filter(estimate=estimate, mapped=False).count()


def single_prices(estimate: Estimate) -> dict[str, tuple[Decimal, str, Decimal]]:
    """Quantity, unit and unit price of WBS codes whose lines share both unit and price.

    Only where no line is split over codes and quantity times price is the amount.
    """
    rows = (
        LineMapping.objects.filter(line__estimate=estimate)
        .values("wbs_code")
        .annotate(
            units=ArrayAgg("line__unit", distinct=True),
            prices=ArrayAgg("line__unit_price", distinct=True),
            quantity=Sum("line__quantity"),
            whole=Count("id", filter=Q(amount=F("line__amount"), line__quantity__isnull=False)),
            every=Count("id"),
            amount=Sum("amount"),
        )
    )
    found = {}
    for row in rows:
        alike = len(row["units"]) == 1 and len(row["prices"]) == 1 and row["prices"][0] is not None
        if alike and row["whole"] == row["every"]:
            quantity, price = row["quantity"], row["prices"][0]
            if quantity * price == row["amount"]:
                found[row["wbs_code"]] = (quantity, row["units"][0], price)
    return found
