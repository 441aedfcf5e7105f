"""Incidents as data: which part of a provider goes wrong, how much, and when."""

from enum import StrEnum

import msgspec

from adapters.simulator.platform import Platform, read_shipped


class Fault(StrEnum):
    """What can go wrong with a provider."""

    ERRORS = "errors"
    """Part of the requests that fail with a 500, 0 to 1."""
    TTFT = "ttft"
    """Factor on the time to first token."""
    DECODE = "decode"
    """Factor on the seconds per output token."""
    CAPACITY = "capacity"
    """Factor on the provider's slots."""


NEUTRAL = {Fault.ERRORS: 0.0, Fault.TTFT: 1.0, Fault.DECODE: 1.0, Fault.CAPACITY: 1.0}
"""Each fault's value when nothing is wrong."""


class Track(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault of one provider over time: straight lines between points, the last value stays."""

    provider: str
    """A provider's name."""
    model: str = ""
    """Only this model's requests, for `errors`; empty for everything at the provider."""
    fault: Fault
    points: tuple[tuple[float, float], ...]
    """(seconds since the onset, in the incident's own time; value), in the order of time."""

    def __post_init__(self) -> None:
        """Points are there and in order.

        Raises:
            ValueError: they are not.
        """
        times = [at for at, _ in self.points]
        if not times or times != sorted(times):
            raise ValueError(f"the points of {self.provider}/{self.fault} must be there and in the order of time")
        if self.model and self.fault is not Fault.ERRORS:
            raise ValueError(f"{self.fault} is about a whole provider; leave {self.model!r} out")

    def at(self, seconds: float) -> float:
        """The fault's value so many seconds after the onset; neutral before it."""
        if seconds < self.points[0][0]:
            return NEUTRAL[self.fault]
        before_at, before = self.points[0]
        for after_at, after in self.points[1:]:
            if seconds < after_at:
                return before + (after - before) * (seconds - before_at) / (after_at - before_at)
            before_at, before = after_at, after
        return before


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One incident, with the answer that an evaluation needs."""

    name: str
    summary: str
    quiet_s: float = 10.0
    """Seconds of the clock before the onset, whatever the speed."""
    tracks: tuple[Track, ...] = ()
    left_behind: str = ""
    """A service that keeps answering from the old retrieval index when a new one is published at the onset."""
    culprit: str = ""
    """The provider that is ill, or the service that was left behind; empty in a calm world."""
    right_action: str = ""
    trap: str = ""
    """What makes it worse, or only seems to help."""

    def fits(self, platform: Platform) -> None:
        """Hold every track against the platform.

        Raises:
            ValueError: a track names a provider, or a model there, that does not exist.
        """
        known = {(spec.name, "") for spec in platform.providers}
        known |= {(spec.provider, spec.model) for route in platform.routes for spec in route.deployments}
        for track in self.tracks:
            if (track.provider, track.model) not in known:
                needs = f"the model {track.model!r} at {track.provider!r}" if track.model else f"{track.provider!r}"
                raise ValueError(f"scenario {self.name!r} needs {needs}")


def load_scenario(name: str) -> Scenario:
    """A scenario that is shipped with the package.

    Raises:
        FileNotFoundError: there is none of that name.
        msgspec.ValidationError: its file has another shape.
    """
    return read_shipped(f"scenarios/{name}.yaml", Scenario)
