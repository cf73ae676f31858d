"""Which WBS code a line probably belongs to, with what confidence, and why. Pure.

A line's nearest neighbours among the company's earlier choices and the names of its WBS codes vote,
weighted by similarity. A vote is not yet a probability: CALIBRATION converts it into one, measured
by `make bench-mapping` on contractors that were not used to build it.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rapidfuzz import fuzz

from partner_app.estimates.mapping.normalise import words

PRESELECTED = Decimal("0.90")  # a person confirms many at once
OFFERED = Decimal("0.50")  # shown as a choice; below it nothing is suggested
MOST = 3  # suggestions per line
NEIGHBOURS = 10  # that vote
CANDIDATES = 250  # compared in full; those that share the rarest words come first
SHARPNESS = 8  # how much more a near neighbour counts than a far one
OTHER_UNIT = 0.92  # similarity factor of a neighbour in another unit
NAME_ONLY = 0.80  # a code's own name is weaker evidence than a line mapped to it
SAME_DIVISION = 1.15  # the item code begins as the WBS code does

# Vote → share of such votes that were right, in steps; linear between them.
CALIBRATION: Sequence[tuple[float, float]] = (
    (0.0, 0.0),
    (0.16, 0.08),
    (0.27, 0.35),
    (0.43, 0.43),
    (0.60, 0.53),
    (0.70, 0.81),
    (0.78, 0.93),
    (0.86, 0.97),
    (1.0, 0.99),
)
ONLY_ONE = Decimal("0.80")  # the only WBS code of the item code's division; not measured


@dataclass(frozen=True)
class Known:
    """A neighbour: words that belong to a WBS code. `unit` is empty for the code's own name."""

    words: str
    unit: str
    wbs_code: str
    remembered: bool


@dataclass(frozen=True)
class Suggestion:
    """`confidence` from 0 to 1, in hundredths."""

    wbs_code: str
    confidence: Decimal
    reason: str


class Suggester:
    def __init__(self, known: Iterable[Known]) -> None:
        self.known = [each for each in known if each.words]
        self.by_word: dict[str, list[int]] = defaultdict(list)
        self.by_division: dict[str, set[str]] = defaultdict(set)
        for place, each in enumerate(self.known):
            if not each.remembered:
                self.by_division[division(each.wbs_code)].add(each.wbs_code)
            for word in set(each.words.split()):
                self.by_word[word].append(place)

    def suggest(self, description: str, unit: str, item_code: str = "") -> list[Suggestion]:
        """Most likely first; only suggestions likely enough to be shown."""
        found = []
        for code, vote, nearest in self.votes(words(description), unit, item_code)[:MOST]:
            confidence = Decimal(str(round(calibrated(vote), 2)))
            if confidence >= OFFERED:
                found.append(Suggestion(code, confidence, _reason(nearest)))
        fitting = self.by_division.get(division(item_code), set()) if item_code else set()
        if len(fitting) == 1 and not fitting & {each.wbs_code for each in found}:
            reason = f"the only WBS code that begins with {division(item_code)}"
            found.append(Suggestion(next(iter(fitting)), ONLY_ONE, reason))
        return sorted(found, key=lambda each: -each.confidence)[:MOST]

    def votes(self, text: str, unit: str, item_code: str) -> list[tuple[str, float, Known]]:
        """WBS codes with their vote from 0 to 1 and their nearest neighbour, strongest first."""
        near = sorted(
            ((self._likeness(text, unit, item_code, each), each) for each in self._near(text)),
            key=lambda pair: -pair[0],
        )[:NEIGHBOURS]
        if not near or near[0][0] <= 0:
            return []
        weights: Counter[str] = Counter()
        nearest: dict[str, Known] = {}
        for likeness, each in near:
            weights[each.wbs_code] += likeness**SHARPNESS  # type: ignore[assignment]  # a Counter adds floats as well
            nearest.setdefault(each.wbs_code, each)
        best = {each.wbs_code: likeness for likeness, each in reversed(near)}
        total = sum(weights.values())
        shares = [(code, best[code] * w / total, nearest[code]) for code, w in weights.items()]
        return sorted(shares, key=lambda row: (-row[1], row[0]))

    def _near(self, text: str) -> list[Known]:
        places: dict[int, None] = {}
        for word in sorted(set(text.split()), key=lambda word: len(self.by_word.get(word, ()))):
            places |= dict.fromkeys(self.by_word.get(word, ())[:CANDIDATES])
            if len(places) >= CANDIDATES:
                break
        return [self.known[place] for place in places]

    def _likeness(self, text: str, unit: str, item_code: str, known: Known) -> float:
        if known.remembered:
            alike = fuzz.token_sort_ratio(text, known.words) / 100
            alike *= 1 if not unit or unit == known.unit else OTHER_UNIT
        else:
            alike = fuzz.token_set_ratio(text, known.words) / 100 * NAME_ONLY
        if item_code and division(item_code) == division(known.wbs_code):
            alike *= SAME_DIVISION
        return min(1.0, alike)


def known_names(codes: Mapping[str, str]) -> list[Known]:
    """`codes`: flat code to its name without the cost type."""
    return [Known(words(name), "", code, remembered=False) for code, name in codes.items()]


def division(code: str) -> str:
    """The first figures of a code: 03 of 03-310.S, 105 of 105-06845."""
    return re.split(r"[^0-9A-Za-z]", code.strip(), maxsplit=1)[0]


def calibrated(vote: float) -> float:
    """Converts a vote to the share of such votes that were right."""
    steps = [step for step, _ in CALIBRATION]
    place = min(max(bisect_right(steps, vote), 1), len(steps) - 1)
    (left, low), (right, high) = CALIBRATION[place - 1], CALIBRATION[place]
    return low + (high - low) * (min(vote, right) - left) / (right - left)


def _reason(nearest: Known) -> str:
    if nearest.remembered:
        return f"similar to “{nearest.words}”, which was mapped here before"
    return f"the code has a similar name: {nearest.words}"
