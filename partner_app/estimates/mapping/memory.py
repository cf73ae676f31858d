"""A company's earlier choices: where an item code, or a description and unit, was mapped.

Learned when a plan is approved, never from a suggestion; stored under row-level security.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from partner_app.core import clock
from partner_app.estimates.mapping.normalise import unit_key, words
from partner_app.estimates.models import EstimateLine, LineMapping, MappingRule
from partner_app.estimates.reading.lines import Line

BATCH = 500


@dataclass(frozen=True)
class Memory:
    """WBS codes by item code, and by description and unit."""

    by_code: Mapping[str, str]
    by_words: Mapping[tuple[str, str], str]

    def recall(self, line: Line) -> tuple[str, str]:
        """A WBS code and the reason; both empty when nothing is remembered."""
        if line.item_code in self.by_code:
            return self.by_code[line.item_code], f"as before for item {line.item_code}"
        key = (words(line.description), unit_key(line.unit))
        if key[0] and key in self.by_words:
            return self.by_words[key], "as before for the same description and unit"
        return "", ""


def recall_all(company_id: int) -> Memory:
    """Inside tenant(). The latest choice wins."""
    by_code: dict[str, str] = {}
    by_words: dict[tuple[str, str], str] = {}
    for rule in MappingRule.objects.filter(company_id=company_id).order_by("learned_at"):
        if rule.item_code:
            by_code[rule.item_code] = rule.wbs_code
        elif rule.words:
            by_words[rule.words, rule.unit] = rule.wbs_code
    return Memory(by_code, by_words)


def learn(*, company_id: int, estimate_id: UUID) -> int:
    """Inside tenant(). Only lines mapped to one code; splits are decided case by case."""
    mappings = LineMapping.objects.filter(line__estimate_id=estimate_id).select_related("line")
    targets: dict[EstimateLine, list[str]] = {}
    for mapping in mappings:
        targets.setdefault(mapping.line, []).append(mapping.wbs_code)
    rules: dict[tuple[str, str, str], str] = {}
    for line, codes in targets.items():
        if len(codes) == 1:
            rules |= dict.fromkeys(_keys(line), codes[0])
    now = clock.now()
    MappingRule.objects.bulk_create(
        [
            MappingRule(
                company_id=company_id,
                item_code=item_code,
                words=text,
                unit=unit,
                wbs_code=code,
                learned_at=now,
            )
            for (item_code, text, unit), code in rules.items()
        ],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["company", "item_code", "words", "unit"],
        update_fields=["wbs_code", "learned_at"],
    )
    MappingRule.objects.filter(company_id=company_id, learned_at=now).update(hits=F("hits") + 1)
    return len(rules)


def _keys(line: EstimateLine) -> Iterable[tuple[str, str, str]]:
    if line.item_code:
        yield line.item_code, "", ""
    text = words(line.description)
    if text:
        yield "", text, unit_key(line.unit)
