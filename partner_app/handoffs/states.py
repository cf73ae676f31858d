"""The permitted transitions of a handoff.

planned ─► submitted ─► approved ─► pushing ─► done ─► undoing ─► undone
   │           │           │          │         ▲         │
   │           ▼           ▼          ▼         │         │
   │        rejected     stale     partial ─────┘◄────────┘
   └─► approved (by an operator, or where one person may do both)
"""

from collections.abc import Mapping

from partner_app.handoffs.errors import NotNow
from partner_app.handoffs.models import Handoff, HandoffState

S = HandoffState
MOVES: Mapping[HandoffState, frozenset[HandoffState]] = {
    S.PLANNED: frozenset({S.SUBMITTED, S.APPROVED, S.STALE}),
    S.SUBMITTED: frozenset({S.APPROVED, S.REJECTED, S.STALE}),
    S.APPROVED: frozenset({S.PUSHING, S.STALE}),
    S.PUSHING: frozenset({S.PUSHING, S.DONE, S.PARTIAL, S.STALE, S.APPROVED}),
    S.DONE: frozenset({S.DONE, S.PARTIAL, S.UNDOING}),
    S.PARTIAL: frozenset({S.PUSHING, S.DONE, S.PARTIAL, S.UNDOING}),
    S.UNDOING: frozenset({S.UNDOING, S.UNDONE, S.PARTIAL, S.DONE}),
    S.REJECTED: frozenset(),
    S.STALE: frozenset(),
    S.UNDONE: frozenset(),
}
WRITTEN = (S.DONE, S.PARTIAL)  # some of its lines are in Procore
OPEN = (S.PLANNED, S.SUBMITTED, S.APPROVED)  # waiting for a person
WORKING = (S.PUSHING, S.UNDOING)


def move(handoff: Handoff, state: HandoffState) -> None:
    """Does not save. Raises NotNow."""
    before = HandoffState(handoff.state)
    if state not in MOVES[before]:
        raise NotNow(state=before.label.lower())
    handoff.state = state
