"""A game day: what was played, and what it was worth: between the command and the world that is its judge."""

import msgspec

from console.domain.wire import AuditRow, LogEntry


class Game(msgspec.Struct, frozen=True, kw_only=True):
    """What is played; the one who plays does not see it."""

    scenario: str
    seed: int
    speed: float
    """How many times faster than life the incident unfolds."""


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A game that is over, with everything that is needed to play it once more."""

    game: Game
    begun_at: float
    """Unix seconds at which the world was first seen."""
    ended_at: float
    rows: tuple[AuditRow, ...]
    """What was done, oldest first."""
    log: tuple[LogEntry, ...] = ()
    """What the console told, oldest first."""


class Harm(msgspec.Struct, frozen=True, kw_only=True):
    """What people had to bear, from the onset to the end of the game."""

    failed: float = 0.0
    """Calls that failed in the end."""
    wrong: float = 0.0
    """Answers that came and were not right: of another form, refused, empty, from the wrong source."""
    slow: float = 0.0
    """Answers that took more than half as long again as they should, or more than one try."""
    job_hours: float = 0.0
    """Time that work waited in queues, summed over the jobs, in hours."""
    usd: float = 0.0
    """What all of it cost."""

    @property
    def requests(self) -> float:
        """Requests that somebody would complain of."""
        return self.failed + self.wrong + self.slow


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One action of the operator."""

    after_s: float
    """Seconds after the onset, of the clock."""
    words: str
    """`trip chat-azure`."""
    right: bool
    """Whether it is one of those that help."""
    trap: bool = False
    """Whether it is one of those that were known to make it worse."""
    cost: float | None = None
    """Bad requests that it brought: how much less there would have been without it alone. None where it is right."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What a game was worth; seconds are of the clock and count from the onset, None: it did not happen."""

    game: Game
    summary: str
    """What the incident was, in a line."""
    culprit: str
    """`DIMENSION/NAME`; empty where nobody was to blame."""
    answer: tuple[str, ...]
    """What would have helped, in words."""
    traps: tuple[str, ...]
    onset_at: float
    lasted_s: float
    """From the onset to the end of the game."""
    told_s: float | None = None
    """Until the console's first alert …"""
    noticed_s: float | None = None
    """… until the operator acknowledged one or acted …"""
    right_s: float | None = None
    """… until the first right action …"""
    recovered_s: float | None = None
    """… and until requests were as good as before, for good."""
    deeds: tuple[Deed, ...] = ()
    harm: Harm = Harm()
    nothing: Harm = Harm()
    """The same game in which nobody does anything."""
    reference: Harm | None = None
    """The same game with a right action five minutes of the incident after its onset; None where the console has no
    such action."""
    reference_recovered_s: float | None = None
    saved: float | None = None
    """Part of the bad requests that could be spared and were: 1 is as good as the reference, below 0 is worse than
    doing nothing; None where nothing could be spared."""
