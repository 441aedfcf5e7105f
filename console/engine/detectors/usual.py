"""Which part of the answers is usually of some kind, for calls that are alike: learnt with a delay, forgotten slowly.

Calls are alike when service, prompt (whatever its version), deployment and tenant are. What they answer is held against
their own past, so that more traffic of one kind, or another mix of kinds, changes nothing.
"""

import math

from console.domain.answers import Group

ROUND_S = 1800.0
"""Counts become part of the usual half an hour to an hour after they came: what goes wrong slowly is not learnt."""
KEPT = 0.5 ** (ROUND_S / (2 * 86400.0))
"""What is left of the usual after a round: half of it after two days."""
FIRST = 300.0
"""So many answers count at once."""

Key = tuple[str, ...]


class Usual:
    """Hits and trials of calls that are alike."""

    __slots__ = ("_held_hits", "_held_trials", "_new_hits", "_new_trials", "hits", "round", "trials")

    def __init__(self, at: float) -> None:
        """`at`: unix seconds of the first of them."""
        self.hits = 0.0
        self.trials = 0.0
        self.round = int(at // ROUND_S)
        self.forget_new()

    @classmethod
    def of(cls, hits: float, trials: float, round_: int) -> "Usual":
        """What `remember` said."""
        one = cls(0.0)
        one.hits, one.trials, one.round = hits, trials, round_
        return one

    def remember(self) -> tuple[float, float, int]:
        """Hits, trials, and the round that they are of."""
        return round(self.hits, 3), round(self.trials, 1), self.round

    def accept(self, part: float) -> None:
        """What was ill has lasted for so long that it is the usual from now on."""
        self.hits, self.trials = part * FIRST, FIRST
        self.forget_new()

    def forget_new(self) -> None:
        """Leave out what came lately: it turned out to be ill."""
        self._new_hits = self._new_trials = self._held_hits = self._held_trials = 0.0

    def add(self, at: float, hits: float, trials: float) -> None:
        """Take in a minute; the first ones count at once, later ones after a while."""
        now = int(at // ROUND_S)
        if now > self.round:
            self._turn(now)
        if self.trials < FIRST:
            self.hits += hits
            self.trials += trials
        else:
            self._new_hits += hits
            self._new_trials += trials

    def _turn(self, now: int) -> None:
        rounds = min(now - self.round, 1000)
        self.round = now
        kept = KEPT**rounds if self.trials > 4 * FIRST else 1.0
        self.hits = self.hits * kept + self._held_hits
        self.trials = self.trials * kept + self._held_trials
        self._held_hits, self._held_trials = self._new_hits, self._new_trials
        self._new_hits = self._new_trials = 0.0
        if rounds > 1:
            self.hits += self._held_hits
            self.trials += self._held_trials
            self._held_hits = self._held_trials = 0.0


def keys_of(source: str, group: Group, *, versions: bool = False) -> tuple[Key, Key]:
    """What calls have to share to be alike: with their tenant, and for all tenants.

    `versions`: whether another version of a prompt is another prompt.
    """
    prompt = group.prompt if versions else group.prompt.partition("@")[0]
    who = group.deployment or f"{group.provider}/{group.model}"
    return (source, group.service, prompt, who, group.tenant), (source, group.service, prompt, who)


def doubt(variance: float, trials: float) -> float:
    """How much higher the usual part of `trials` answers may well be: two standard deviations."""
    return 2.0 * math.sqrt(variance) / trials if trials else 0.0
