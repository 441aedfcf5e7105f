"""What can have come of what a run needed: each is what the runner tells `runbooks.course.apply`."""

from dataclasses import dataclass

from console.domain.actions import Intent, Proposal, Receipt
from console.domain.runbooks import Condition, RampStage
from runbooks.ramping import Result


@dataclass(frozen=True, slots=True)
class Looked:
    """Conditions were evaluated."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Rechecked:
    """The preconditions were evaluated again, and the file was read again."""

    conditions: tuple[Condition, ...]
    file_words: str = ""
    """What is wrong with the file now; empty when it is the one that the run began with."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be asked for. No intents: there is nothing to do, and `words` say why."""

    intents: tuple[Intent, ...]
    stage: RampStage | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Impossible:
    """It cannot be asked for at all; nothing was done."""

    words: str
    passes: bool = False
    """Whether it may be otherwise in a moment: what is no failure yet."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal for a person to see; `fingerprint` says which plan it was."""

    proposal: Proposal
    fingerprint: str
    words: str = ""
    """Why it is shown (again)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An action was confirmed under this key, now or before."""

    key: str
    action_id: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The lookup found that nothing was done under the key."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine or the guard said no; nothing was done."""

    words: str
    rights: bool = False
    """Whether the holder lacks `operate`."""


@dataclass(frozen=True, slots=True)
class Told:
    """How an action stands."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Commanded:
    """A command has ended; `ok` is None when nobody knows what became of it."""

    key: str
    action_id: str
    ok: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A ramp's stage was judged; with GO `stage` is the next one, which nobody has set yet."""

    stage: RampStage
    result: Result
    words: str


@dataclass(frozen=True, slots=True)
class TooLate:
    """The step's time is over."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """Another engine has taken the run up from disk."""


Event = (
    Looked | Rechecked | Prepared | Impossible | Shown | Sent | NotSent | Refused | Told | Commanded | Judged | TooLate
    | Restarted
)  # fmt: skip
