"""Every call that reaches the simulator, and the calls that a well-behaved app would not make."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One request. No token and no body; only the names of its parameters, and the project's id."""

    at: str
    origin: str
    method: str
    path: str
    query: tuple[str, ...]
    status: int
    company_id: int | None
    project_id: int | None
    credential: str | None
    user_agent: str


@dataclass(frozen=True)
class Violation:
    """`kind` is one of those in docs/simulator.md."""

    at: str
    kind: str
    method: str
    path: str
    detail: str


class Ledger:
    """Append-only until the control API clears it.

    Its size is limited, so that a long demo stays small.
    """

    LIMIT = 200_000

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.violations: list[Violation] = []

    def call(self, call: Call) -> None:
        if len(self.calls) < self.LIMIT:
            self.calls.append(call)

    def violation(self, violation: Violation) -> None:
        self.violations.append(violation)

    def clear(self) -> None:
        self.calls.clear()
        self.violations.clear()


def as_json(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]
