"""How well lines find their WBS codes, on real estimates of contractors not used for tuning.

A company is one contractor; its memory is learned from the contractor's earlier lettings; its WBS
cost codes are the sections of the pay items and, harder, the pay items themselves. The code column
is hidden. `--tune` prints the calibration computed from the other half of the contractors.
"""

import argparse
import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from rapidfuzz import fuzz

from partner_app.estimates.mapping.normalise import unit_key, words
from partner_app.estimates.mapping.suggest import Known, Suggester, calibrated
from partner_app.estimates.reading.estimate import read_estimate
from partner_app.estimates.reading.lines import Line
from simulator.catalogue import CIVIL_SECTIONS

FILES = Path(__file__).resolve().parents[2] / "shared" / "data" / "indot"
THRESHOLDS = (0.5, 0.7, 0.9)
STEPS = 12  # of the calibration
BINS = 10  # bins of the calibration error
Target = Callable[[Line], str]


@dataclass
class Outcome:
    """One line: the right code, the suggested codes, their confidence and their source."""

    truth: str
    codes: list[str]
    vote: float
    recalled: bool

    @property
    def right(self) -> bool:
        return self.codes[:1] == [self.truth]


@dataclass
class Contractor:
    name: str
    estimates: list[list[Line]] = field(default_factory=list)


def contractors() -> list[Contractor]:
    """Their estimates in order of letting date."""
    found: dict[str, Contractor] = {}
    with (FILES / "contracts.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["letting"])
    for row in rows:
        path = FILES / row["file"]
        lines = read_estimate(path.name, path.read_bytes()).lines
        found.setdefault(row["contractor"], Contractor(row["contractor"])).estimates.append(lines)
    return list(found.values())


def section(line: Line) -> str:
    return f"{line.item_code[:3]}-000.S"


def pay_item(line: Line) -> str:
    return line.item_code


def outcomes(who: Iterable[Contractor], target: Target, names: Sequence[Known]) -> list[Outcome]:
    """Every line of every estimate, suggested from the memory of earlier ones."""
    found = []
    for contractor in who:
        memory: dict[tuple[str, str], str] = {}
        for lines in contractor.estimates:
            remembered = [Known(w, u, code, remembered=True) for (w, u), code in memory.items()]
            suggester = Suggester([*remembered, *names])
            found += [_outcome(line, target, memory, suggester) for line in lines]
            memory |= {_key(line): target(line) for line in lines}
    return found


def _key(line: Line) -> tuple[str, str]:
    return words(line.description), unit_key(line.unit)


def _outcome(
    line: Line, target: Target, memory: dict[tuple[str, str], str], suggester: Suggester
) -> Outcome:
    if _key(line) in memory:
        return Outcome(target(line), [memory[_key(line)]], 1.0, recalled=True)
    votes = suggester.votes(words(line.description), unit_key(line.unit), "")
    codes = [code for code, _, _ in votes]
    return Outcome(target(line), codes, votes[0][1] if votes else 0.0, recalled=False)


def figures(found: Sequence[Outcome]) -> dict[str, float]:
    """Recall counts all lines; a line needs a person if no suggestion is confident enough."""
    result: dict[str, float] = {
        "lines": len(found),
        "from_memory": share(o.recalled for o in found),
        "memory_precision": share(o.right for o in found if o.recalled),
        "top_1": share(o.right for o in found),
        "top_3": share(o.truth in o.codes[:3] for o in found),
    }
    for threshold in THRESHOLDS:
        sure = [o for o in found if o.recalled or calibrated(o.vote) >= threshold]
        result[f"precision_at_{threshold}"] = share(o.right for o in sure)
        result[f"recall_at_{threshold}"] = round(sum(o.right for o in sure) / len(found), 3)
        result[f"need_a_person_at_{threshold}"] = round(1 - len(sure) / len(found), 3)
    result["calibration_error"] = calibration_error([o for o in found if not o.recalled])
    return result


def calibration_error(found: Sequence[Outcome]) -> float:
    bins: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in found:
        bins[min(BINS - 1, int(calibrated(outcome.vote) * BINS))].append(outcome)
    gaps = (
        len(rows) * abs(mean(o.right for o in rows) - mean(calibrated(o.vote) for o in rows))
        for rows in bins.values()
    )
    return round(sum(gaps) / max(1, len(found)), 3)


def baselines(who: Iterable[Contractor], names: Sequence[Known]) -> dict[str, float]:
    """The most common code so far, and plain similarity to code names without memory."""
    commonest, plain = [], []
    for contractor in who:
        counted: Counter[str] = Counter()
        for lines in contractor.estimates:
            often = counted.most_common(1)[0][0] if counted else ""
            for line in lines:
                commonest.append(often == section(line))
                text = words(line.description)
                best = max(names, key=lambda known: fuzz.ratio(text, known.words))
                plain.append(best.wbs_code == section(line))
            counted.update(section(line) for line in lines)
    return {"most_frequent_code": share(commonest), "plain_likeness": share(plain)}


def tuned(found: Sequence[Outcome]) -> list[tuple[float, float]]:
    """Steps of the vote and the share that was right, never decreasing (isotonic regression)."""
    rows = sorted((o for o in found if not o.recalled), key=lambda o: o.vote)
    size = max(1, len(rows) // STEPS)
    chunks = [rows[at : at + size] for at in range(0, len(rows), size)]
    pools: list[list[Outcome]] = []
    for chunk in chunks:
        pools.append(list(chunk))
        while len(pools) > 1 and _right(pools[-2]) >= _right(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    inner = [(round(mean(o.vote for o in pool), 3), round(_right(pool), 3)) for pool in pools]
    return [(0.0, 0.0), *inner, (1.0, max(inner[-1][1], 0.0))]


def _right(rows: Sequence[Outcome]) -> float:
    return mean(o.right for o in rows)


def share(values: Iterable[bool]) -> float:
    found = list(values)
    return round(sum(found) / len(found), 3) if found else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.mapping", description=__doc__)
    parser.add_argument("--tune", action="store_true", help="print a new calibration")
    arguments = parser.parse_args()
    if not FILES.exists():
        print("The real estimates are not beside this clone.", file=sys.stderr)
        return 1
    names = [
        Known(words(name), "", f"{code}.S", remembered=False)
        for code, name in CIVIL_SECTIONS.items()
    ]
    # Every second contractor by name, so that each run has the same halves.
    everybody = sorted(contractors(), key=lambda contractor: contractor.name)
    tuning, held_out = everybody[::2], everybody[1::2]
    if arguments.tune:
        for step in tuned(outcomes(tuning, section, names)):
            print(f"    {step},")
        return 0
    result: dict[str, dict[str, Any]] = {
        "contractors": {"tuning": len(tuning), "held_out": len(held_out)},
        "sections": figures(outcomes(held_out, section, names)),
        "sections_second_and_later_estimates": figures(later(held_out, section, names)),
        "pay_items": figures(outcomes(held_out, pay_item, [])),
        "baselines": baselines(held_out, names),
    }
    for name, rows in result.items():
        print(name, file=sys.stderr)
        for key, value in rows.items():
            print(f"  {key:28}{value:>10}", file=sys.stderr)
    print(json.dumps(result))
    return 0


def later(who: Iterable[Contractor], target: Target, names: Sequence[Known]) -> list[Outcome]:
    """Only estimates of contractors who have handed one off before."""
    found = []
    for contractor in who:
        first = len(contractor.estimates[0])
        found += outcomes([contractor], target, names)[first:]
    return found


if __name__ == "__main__":
    sys.exit(main())
