"""Minute by minute, what every group's calls answered: counted as a trace store counts, from the world's flows."""

import random
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

import msgspec

from adapters.simulator.answers.flows import FRONT, Flow, Flows
from adapters.simulator.answers.forms import weights_of
from adapters.simulator.answers.manner import Flaw, Way, made_of
from adapters.simulator.answers.rates import Hits, Rates, acting, build_of, hits, struck, targets_of, together, usual
from adapters.simulator.answers.rows import Scene, draw
from adapters.simulator.parts import Deployment, Stream
from adapters.simulator.world import World
from console.domain.answers import ANSWERS_STEP_S, Answers, Group

KEEP_S: Final = 7200.0
"""Seconds of the past that can be asked for …"""

ROWS_MOST: Final = 30_000
"""… as long as there are no more rows than this."""

MIXED_S: Final = 600.0
"""How forms are spread is worked out anew this often."""

OWN_CHANCE: Final = 0xA_25E5
"""Keeps the answers' chance apart from everything else's, whose numbers stay as they are."""

EXAMPLES: Final = 3
"""Examples of a row, at the most."""

Key = tuple[str, str, str, str]
"""(deployment, the route that was asked for, tenant, service)."""


@dataclass(slots=True)
class Example:
    """A request that has to be kept because it shows something; who keeps it says which it is."""

    flow: Flow
    trace_id: str
    """For a request that is made up for it."""
    at: float
    """Unix seconds of the end of its minute."""
    way: Way
    """With what it has to show."""


@dataclass(slots=True)
class _Character:
    """One group for as long as there is one."""

    usual: Rates
    targets: tuple[str, ...]
    chance: random.Random
    group: Group = field(default_factory=Group)
    made: tuple[str, int] = ("", -1)
    """The version of the prompt and the number of the build that `group` tells."""
    weights: tuple[float, ...] = ()
    calm: tuple[int, Way] | None = None
    """The number of a build, and how it answers when nothing is wrong."""
    mixed_at: float = 0.0
    """Unix seconds at which the weights were worked out."""


class Minutes:
    """Counts a world's answers; it moves with the trace store."""

    def __init__(
        self, world: World, seed: int, prompt: Callable[[str, float], str], keep: Callable[[Example], str]
    ) -> None:
        self._world = world
        self._seed = seed ^ OWN_CHANCE
        self._prompt = prompt
        self._keep = keep
        self.flows = Flows(world)
        self._characters: dict[Key, _Character] = {}
        self._hits: dict[Key, Hits] = {}
        """What hits each group, as of the last step; it holds until the next."""
        self._spans: list[tuple[float, dict[Key, Hits]]] = []
        """(seconds, what hit each group) since the last minute ended."""
        self._ends: deque[float] = deque()
        self._rows: deque[tuple[Answers, ...]] = deque()
        self._count = 0
        for item in world.deployments.values():
            for stream in world.streams:
                if stream.route.spec.name == item.route:
                    self._character(item, stream, FRONT)

    def step(self, dt: float) -> None:
        """The world has moved by `dt` seconds."""
        now = self._world.now
        self.flows.step(dt)
        self._spans.append((dt, self._hits))
        faults = acting(self._world)
        self._hits = (
            {key: hits(self._world, faults, one.targets) for key, one in self._characters.items()} if faults else {}
        )
        end = now // ANSWERS_STEP_S * ANSWERS_STEP_S
        if end > (now - dt) // ANSWERS_STEP_S * ANSWERS_STEP_S:
            self._end_minute(end)

    def between(self, since: float, until: float) -> tuple[Answers, ...]:
        """The minutes that ended after `since` and not after `until` (unix seconds), oldest first, as far as kept."""
        ends = list(self._ends)
        first, last = bisect_right(ends, since), bisect_right(ends, until)
        return tuple(row for place in range(first, last) for row in self._rows[place])

    def way(self, item: Deployment, stream: Stream, service: str) -> Way:
        """How requests are answered at this moment, at the deployment that answers them."""
        key, one = self._character(item, stream, service)
        return _way(one, item, self._hits.get(key, {}), self._world.now)

    def _end_minute(self, end: float) -> None:
        rows = [row for flow in self.flows.take() if (row := self._row(flow, end)) is not None]
        self._spans.clear()
        self._ends.append(end)
        self._rows.append(tuple(rows))
        self._count += len(rows)
        while self._ends[0] < end - KEEP_S or (self._count > ROWS_MOST and len(self._ends) > 1):
            self._ends.popleft()
            self._count -= len(self._rows.popleft())

    def _row(self, flow: Flow, end: float) -> Answers | None:
        key, one = self._character(flow.deployment, flow.stream, flow.service)
        faults = [(seconds, of.get(key, {})) for seconds, of in self._spans] if any(of for _, of in self._spans) else []
        hit = together(faults) if faults else {}
        rates = struck(one.usual, hit)
        prompt = self._prompt(flow.stream.route.spec.name, end)
        self._name(one, flow, prompt, build_of(flow.deployment.spec, hit, end), end)
        drawn = draw(Scene(flow, one.group, rates, one.usual, one.weights, one.chance), end)
        if drawn is None or not drawn.flaws:
            return None if drawn is None else drawn.row
        way = _way(one, flow.deployment, hit, end)
        kept = [
            self._keep(Example(flow, f"{one.chance.getrandbits(128):032x}", end, way._replace(flaw=flaw)))
            for flaw in drawn.flaws[:EXAMPLES]
        ]
        repeating = kept[0] if drawn.flaws[0] is Flaw.LOOP else ""
        return msgspec.structs.replace(drawn.row, examples=tuple(filter(None, kept)), repeating=repeating)

    def _character(self, item: Deployment, stream: Stream, service: str) -> tuple[Key, _Character]:
        route = stream.route.spec
        key = (item.spec.name, route.name, stream.key, service)
        known = self._characters.get(key)
        if known is None:
            targets = targets_of(item.spec, route, stream.key, service)
            known = self._characters[key] = _Character(
                usual=usual(route, item.spec, stream.key),
                targets=targets if item.route == route.name else (*targets, f"route/{item.route}"),
                chance=random.Random(self._seed << 32 | crc32("/".join(key).encode())),  # noqa: S311 - a game
            )
        return key, known

    def _name(self, one: _Character, flow: Flow, prompt: str, build: int, at: float) -> None:
        """Keep up with the prompt's version, the build and the hour."""
        spec, route = flow.deployment.spec, flow.stream.route.spec
        if one.made != (prompt, build):
            fingerprint, response_model = made_of(spec, build)
            one.group = Group(
                deployment=spec.name,
                provider=spec.provider,
                model=spec.model,
                region=spec.region,
                route=flow.deployment.route,
                service=flow.service,
                tenant=flow.stream.key,
                prompt=f"{route.name}-answer@{prompt}",
                response_model=response_model,
                fingerprint=fingerprint,
            )
        if one.made[0] != prompt or at - one.mixed_at >= MIXED_S:
            one.mixed_at = at
            one.weights = weights_of(route.name, prompt, flow.stream.key, at)
        one.made = (prompt, build)


def _way(one: _Character, item: Deployment, hit: Hits, at: float) -> Way:
    """How a group answers under faults; the one before where nothing has changed."""
    build = build_of(item.spec, hit, at)
    if not hit and one.calm is not None and one.calm[0] == build:
        return one.calm[1]
    rates = struck(one.usual, hit)
    way = Way(rates, *made_of(item.spec, build), rates.tokens_per_char / one.usual.tokens_per_char)
    if not hit:
        one.calm = (build, way)
    return way
