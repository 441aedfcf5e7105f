"""The longest piece of work between two keys when a large board is looked at, by processor time: no server, no screen.

By processor time (`time.thread_time`), so that others on the same cores change it little. What Textual's paints take is
not in it.
"""

import random
import time
from collections.abc import Callable, Iterator

from benchmarks.results import Result, at_most, beside, middle
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.readings import AnyReading, Deployment, Provider, Queue, Route, RouteTarget, Source, Traffic
from console.domain.refs import Kind, Ref
from console.domain.wire import Change, Snapshot, decode, encode
from console.ui.cells import Row
from console.ui.glyphs import UNICODE
from console.ui.sight import Prepare, Sight
from console.ui.view import providers, queues
from console.ui.view.judged import Judgements
from console.ui.view.kept import Kept
from console.ui.view.overview import Overview

SOURCES, QUEUES = 1000, 10_000
MOMENTS = 15
CHANGED = 0.35
"""Part of the objects that have changed from one moment to the next."""


def measure() -> Iterator[Result]:
    """Each screen's own board."""
    for name, make, prepare in (
        ("1,000 sources, Overview", _gateways, _overview()),
        ("1,000 sources, Providers", _gateways, _providers()),
        ("10,000 queues, Queues", _queues, _queue_rows()),
    ):
        pieces = _pieces(make, prepare)
        yield at_most(f"{name}, longest piece of a look, processor", middle([max(look) for look in pieces]), "ms", 5)
        yield beside(f"{name}, a whole look, processor", middle([sum(look) for look in pieces]), "ms")


def _pieces(make: Callable[[random.Random], list[AnyReading]], prepare: Prepare) -> list[list[float]]:
    """Milliseconds of every piece, look by look."""
    rng, live = random.Random(3), Board()
    live.apply(_sent(Snapshot(seq=1, at=1.0, environment="bench", readings=tuple(make(rng))), Snapshot))
    sight = Sight(live, prepare)
    sight.look()
    looks: list[list[float]] = []
    for seq in range(2, MOMENTS + 2):
        news = tuple(reading for reading in make(rng) if rng.random() < CHANGED)
        live.apply(_sent(Change(seq=seq, at=float(seq), readings=news), Change))
        look, done = list[float](), False
        while not done:
            begun = time.thread_time()
            done = sight.step()
            look.append(1000 * (time.thread_time() - begun))
        looks.append(look)
    return looks


def _sent(event: Snapshot | Change, kind: type[Snapshot] | type[Change]) -> Snapshot | Change:
    """The event as it comes from an engine: every object of it new."""
    return decode(encode(event), kind)


def _source(name: str) -> Source:
    ref = Ref(name, Kind.SOURCE, name)
    return Source(ref=ref, observed_at=1.0, adapter="litellm", freshness=Freshness.FRESH, interval_s=2.0)


def _gateways(rng: random.Random) -> list[AnyReading]:
    found: list[AnyReading] = []
    for number in range(SOURCES):
        name = f"gw-{number:03d}"
        flow = Traffic(window_s=60.0, requests_per_min=rng.random() * 100)
        ref = Ref(name, Kind.DEPLOYMENT, f"dep-{number}")
        found += (
            _source(name),
            Provider(ref=Ref(name, Kind.PROVIDER, "openai"), observed_at=1.0, deployments=(ref.name,), traffic=flow),
            Deployment(ref=ref, observed_at=1.0, provider="openai", model="gpt", traffic=flow),
            Route(ref=Ref(name, Kind.ROUTE, "chat"), observed_at=1.0, targets=(RouteTarget(deployment=ref.name),)),
        )
    return found


def _queues(rng: random.Random) -> list[AnyReading]:
    refs = (Ref("rabbit", Kind.QUEUE, f"team-{number % 40}.jobs-{number:05d}") for number in range(QUEUES))
    waiting = (Queue(ref=ref, observed_at=1.0, depth=rng.randrange(50), consumers=rng.randrange(3)) for ref in refs)
    return [_source("rabbit"), *waiting]


def _overview() -> Prepare:
    overview = Overview(UNICODE)

    def prepare(board: Board, judged: Judgements) -> Iterator[None]:
        yield from overview.lay_in_steps(board, judged)

    return prepare


def _providers() -> Prepare:
    kept = Kept[Row]()

    def prepare(board: Board, judged: Judgements) -> Iterator[None]:
        yield from providers.rows_in_steps(board, judged, UNICODE, kept)

    return prepare


def _queue_rows() -> Prepare:
    kept = Kept[Row]()

    def prepare(board: Board, judged: Judgements) -> Iterator[None]:
        rows = yield from queues.rows_in_steps(board, judged, UNICODE, kept)
        yield from rows.containing_in_steps("jobs-01")

    return prepare
