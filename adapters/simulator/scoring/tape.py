"""From the rows of an audit log to the steps that the backend took, each with its moment."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from console.domain.actions import Intent, Plan, Step
from console.domain.wire import AuditRow


class Taken(NamedTuple):
    """A step that was taken."""

    at: float
    """Unix seconds."""
    source: str
    step: Step
    action_id: str


class Deed(NamedTuple):
    """An action that was confirmed."""

    at: float
    action_id: str
    intent: Intent


class _Confirmed(msgspec.Struct, frozen=True):
    """What is read of a row `confirmed`."""

    intent: Intent
    plan: Plan


class _Step(msgspec.Struct, frozen=True):
    """What is read of a row `step-…`."""

    index: int
    back: bool = False
    tidy: bool = False


class Tape(NamedTuple):
    """All that was done in a game."""

    taken: tuple[Taken, ...]
    deeds: tuple[Deed, ...]

    def without(self, action_id: str) -> "Tape":
        """The same without one action; what put it back later goes with it."""
        gone = {action_id} | {deed.action_id for deed in self.deeds if _puts_back(deed.intent, action_id)}
        return Tape(
            tuple(item for item in self.taken if item.action_id not in gone),
            tuple(item for item in self.deeds if item.action_id not in gone),
        )


EMPTY = Tape((), ())


def read(rows: Iterable[AuditRow]) -> Tape:
    """The tape of rows in the order in which they were written; a step that lasts is taken where it was begun."""
    confirmed: dict[str, _Confirmed] = {}
    taken: list[Taken] = []
    deeds: list[Deed] = []
    for row in rows:
        if row.event == "confirmed":
            found = confirmed[row.action_id] = msgspec.json.decode(row.body, type=_Confirmed)
            deeds.append(Deed(row.at, row.action_id, found.intent))
        elif row.event in ("step-begun", "step-done") and row.action_id in confirmed:
            plan, said = confirmed[row.action_id].plan, msgspec.json.decode(row.body, type=_Step)
            steps = plan.tidy if said.tidy else plan.undo if said.back else plan.steps
            if said.index < len(steps) and steps[said.index].lasting is (row.event == "step-begun"):
                taken.append(Taken(row.at, plan.target.source, steps[said.index], row.action_id))
    return Tape(tuple(taken), tuple(deeds))


def _puts_back(intent: Intent, action_id: str) -> bool:
    return getattr(intent.action, "override_id", None) == action_id
