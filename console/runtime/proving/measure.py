"""What people bear in a world, minute by minute, and when it is over: against the same world on a calm day."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from adapters.simulator.queues.broker import Broker
from adapters.simulator.scoring.harm import Meter, together
from adapters.simulator.world import World
from console.domain.games import Harm

MINUTE_S: Final = 60.0
WELL: Final = 0.2
"""A minute is as good as on a calm day when it has less than this part of what a bad minute has …"""
SPARED: Final = 3.0
"""… or less than so many requests too many …"""
SPARED_PART: Final = 0.02
"""… or costs less than this part more."""
LASTING_S: Final = 240.0
"""It is over when it has been so for as long as this, to the end."""
SMOOTH: Final = 5
"""Minutes of which the mean is taken where money is the measure."""
PATIENT_JOB_HOURS: Final = 2.0
"""Jobs that wait longer than on a calm day, in hours together, that are not worth a word."""


class Yard(StrEnum):
    """What shows that something is wrong."""

    REQUESTS = "requests"
    JOBS = "jobs"
    MONEY = "money"
    NOTHING = "nothing"


@dataclass(slots=True)
class Diary:
    """Harm of one world by the minute since its beginning."""

    minutes: dict[int, Harm] = field(default_factory=dict)

    def since(self, minute: int) -> Harm:
        """All of it from a minute on."""
        total = Harm()
        for at, harm in self.minutes.items():
            if at >= minute:
                total = together(total, harm)
        return total

    def until(self, minute: int) -> "Diary":
        """The minutes before this one."""
        return Diary({at: harm for at, harm in self.minutes.items() if at < minute})


class Recorder:
    """Keeps the diary of a world; a companion that is its last."""

    def __init__(self, world: World, broker: Broker) -> None:
        self.diary = Diary()
        self._world = world
        self._meter = Meter(world, broker)
        world.companions.append(self)

    def step(self, dt: float) -> None:
        """See `world.Companion`."""
        minute = math.ceil((self._world.now - self._world.begin) / MINUTE_S) - 1
        minutes = self.diary.minutes
        minutes[minute] = together(minutes.get(minute, Harm()), self._meter.look(dt))


def yard(nothing: Diary, calm: Diary, onset: int) -> Yard:
    """By what the incident is told from a calm day: what is worse in all, and in single minutes so that it shows."""
    ill, well = nothing.since(onset), calm.since(onset)
    worse = {
        Yard.REQUESTS: ill.requests - well.requests > 10 * SPARED,
        Yard.JOBS: ill.job_hours - well.job_hours > PATIENT_JOB_HOURS,
        Yard.MONEY: ill.usd > well.usd * (1.0 + SPARED_PART),
    }
    return next((by for by, more in worse.items() if more and _ill(by, nothing, nothing, calm, onset)), Yard.NOTHING)


def recovered_s(world: Diary, nothing: Diary, calm: Diary, onset: int) -> float | None:
    """Seconds after the onset from which on it is as good as on a calm day; None: not to the end. 0: it always was."""
    ill = _ill(yard(nothing, calm, onset), world, nothing, calm, onset)
    if not ill:
        return 0.0
    last, end = max(ill), max(world.minutes)
    return (last + 1 - onset) * MINUTE_S if (end - last) * MINUTE_S >= LASTING_S else None


def _ill(by: Yard, world: Diary, nothing: Diary, calm: Diary, onset: int) -> list[int]:
    """The minutes that are not as good as on a calm day."""
    bad = sorted(more for at, more in _too_much(by, nothing, calm).items() if at >= onset)
    worst = bad[int(0.9 * (len(bad) - 1))] if bad else 0.0
    usual = max((harm.usd for harm in calm.minutes.values()), default=0.0)
    least = {Yard.REQUESTS: SPARED, Yard.MONEY: SPARED_PART * usual}.get(by, 0.1)
    found = _too_much(by, world, calm)
    return [at for at, more in found.items() if at >= onset and more > max(least, WELL * worst)]


def over_sooner(world: Diary, nothing: Diary, calm: Diary, onset: int) -> bool:
    """Whether it is over here, with less harm, while with nobody acting it is not over or was so later."""
    after = recovered_s(world, nothing, calm, onset)
    alone = recovered_s(nothing, nothing, calm, onset)
    sooner = after is not None and (alone is None or after < alone)
    return sooner and borne(world, nothing, calm, onset) < borne(nothing, nothing, calm, onset)


def borne(world: Diary, nothing: Diary, calm: Diary, onset: int) -> float:
    """What people bore since the onset, by what the incident is told from a calm day: requests, hours or dollars."""
    harm = world.since(onset)
    return {Yard.MONEY: harm.usd, Yard.JOBS: harm.job_hours}.get(yard(nothing, calm, onset), harm.requests)


def _too_much(by: Yard, world: Diary, calm: Diary) -> dict[int, float]:
    """By minute, what there is more than on a calm day; of money, which comes in lumps, the mean of some minutes."""
    found = {at: _more(by, harm, calm.minutes.get(at, Harm())) for at, harm in world.minutes.items()}
    if by is not Yard.MONEY:
        return found
    last = {at: [found[one] for one in range(at - SMOOTH + 1, at + 1) if one in found] for at in found}
    return {at: sum(some) / len(some) for at, some in last.items()}


def _more(by: Yard, harm: Harm, usual: Harm) -> float:
    if by is Yard.MONEY:
        return harm.usd - usual.usd
    return harm.job_hours - usual.job_hours if by is Yard.JOBS else harm.requests - usual.requests
