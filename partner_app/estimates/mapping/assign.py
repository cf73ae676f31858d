"""Maps lines automatically where the evidence is certain, and suggests codes for the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

from integrations.procore.resources.wbs_codes import WbsCode
from partner_app.core.bulk import update_rows
from partner_app.core.i18n import gettext_noop
from partner_app.estimates.mapping.file import HUNDRED, MappingRules
from partner_app.estimates.mapping.memory import Memory, recall_all
from partner_app.estimates.mapping.normalise import unit_key
from partner_app.estimates.mapping.suggest import Known, Suggester, known_names
from partner_app.estimates.models import Estimate, EstimateLine, MappingSource
from partner_app.estimates.reading.lines import Line
from partner_app.tabular.sheets import Say

BATCH = 1000  # rows written at once
A_STRETCH = 200  # lines between two progress reports
EXACT_TO = Decimal("1e-10")  # decimals of a share that are kept; the last share takes the rest


@dataclass(frozen=True)
class CodeShare:
    """A WBS code, the exact share of a line's amount that goes there, and why."""

    wbs_code: str
    amount: Decimal
    reason: str
    evidence: MappingSource
    chosen_by: str = "system"

    def shared(self, shares: Sequence[tuple[str, Decimal]]) -> list["CodeShare"]:
        """Splits over WBS codes by percent. The last share takes the rest: they add up exactly."""
        targets, left = [], self.amount
        for code, percent in shares[:-1]:
            part = (self.amount * percent / HUNDRED).quantize(EXACT_TO)
            left -= part
            targets.append(replace(self, wbs_code=code, amount=part))
        return [*targets, replace(self, wbs_code=shares[-1][0], amount=left)]


@dataclass(frozen=True)
class Targets:
    """`codes` are the project's active ones: flat code to its name without the cost type."""

    rules: MappingRules
    memory: Memory
    codes: Mapping[str, str]
    types: Mapping[str, str] = field(default_factory=dict)  # flat code to its cost type's name

    def of(self, line: Line) -> list[CodeShare]:
        """Empty when nothing is certain. The last share takes the rest."""
        shares, pattern = self.rules.for_code(line.item_code)
        if not shares:
            return self._without_rule(line)
        reason = f"mapping file: {pattern}"
        whole = CodeShare("", line.amount, reason, MappingSource.FILE, "operator")
        return whole.shared([(share.wbs_code, share.percent) for share in shares])

    def _without_rule(self, line: Line) -> list[CodeShare]:
        """Memory counts only where the project has the code: another project may lack it."""
        code = self.exact(line.item_code, line.cost_type)
        if code:
            reason = gettext_noop("the item code is a WBS code")
            return [CodeShare(code, line.amount, reason, MappingSource.EXACT)]
        code, reason = self.memory.recall(line)
        return (
            [CodeShare(code, line.amount, reason, MappingSource.MEMORY)]
            if code in self.codes
            else []
        )

    def exact(self, item_code: str, cost_type: str = "") -> str:
        """The item code itself, or the WBS code with it as cost code.

        Of several, the one with the line's cost type, by its letter or its name.
        """
        if item_code in self.codes:
            return item_code
        fitting = self.by_cost_code.get(item_code, ()) if item_code else ()
        if cost_type:
            fitting = [code for code in fitting if self._has_type(code, cost_type)]
        return fitting[0] if len(fitting) == 1 else ""

    def _has_type(self, code: str, cost_type: str) -> bool:
        letter = code.rpartition(".")[2]
        name = self.types.get(code, "")
        return cost_type.casefold() in {letter.casefold(), name.casefold()}

    @cached_property
    def by_cost_code(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for code in self.codes:
            found.setdefault(code.rpartition(".")[0], []).append(code)
        return found

    def suggest(self, estimate: Estimate, say: Say) -> None:
        """Inside tenant(). For each group of unmapped lines; applies nothing."""
        lines = list(estimate.lines.filter(mapped=False))
        if not lines:
            return
        remembered = [
            Known(text, unit, code, remembered=True)
            for (text, unit), code in self.memory.by_words.items()
            if code in self.codes
        ]
        suggester = Suggester([*remembered, *known_names(self.codes)])
        by_group: dict[str, list[dict[str, str]]] = {}
        changed = []
        for number, line in enumerate(lines):
            if not number % A_STRETCH:
                say("codes", number, len(lines))
            if line.group not in by_group:
                found = suggester.suggest(line.description, unit_key(line.unit), line.item_code)
                by_group[line.group] = [
                    {"code": s.wbs_code, "confidence": str(s.confidence), "reason": s.reason}
                    for s in found
                ]
            line.suggestions = by_group[line.group]
            if line.suggestions:
                changed.append(line)
        update_rows(EstimateLine, changed, ["suggestions"])


def targets_for(company_id: int, project_id: int, *, rules: MappingRules | None = None) -> Targets:
    """Inside tenant()."""
    rows = WbsCode.objects.filter(company_id=company_id, project_id=project_id, status="active")
    codes, types = {}, {}
    for code, name in rows.order_by("flat_code").values_list("flat_code", "flat_name"):
        before, _, types[code] = name.rpartition(".")
        codes[code] = before or name
    return Targets(rules or MappingRules({}), recall_all(company_id), codes, types)
