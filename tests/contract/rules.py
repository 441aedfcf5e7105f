"""The contract's rules as functions that name every fault, so that they can themselves be tested."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from console.domain.actions import Plan, Verb
from console.domain.readings import (
    READING_KINDS,
    AgeQuality,
    AnyReading,
    Deployment,
    Headroom,
    Observation,
    Provider,
    Queue,
    Route,
    Spend,
)
from console.domain.refs import Kind

QUEUE_VERBS = (
    Verb.PAUSE,
    Verb.RESUME,
    Verb.PARK,
    Verb.REPLAY,
    Verb.FINISH,
    Verb.REQUEUE,
    Verb.ISOLATE,
    Verb.PURGE,
)

VERBS_OF: dict[Kind, tuple[Verb, ...]] = {
    Kind.DEPLOYMENT: (Verb.TRIP, Verb.RESET, Verb.WEIGHT),
    Kind.ROUTE: (Verb.SWITCH,),
    Kind.QUEUE: QUEUE_VERBS,
}
"""Which verbs an adapter has to speak about, able or not."""


def faults_of(observation: Observation, source: str, asked_at: float, now: float) -> list[str]:
    """Everything in an observation that the contract does not allow; it was asked for at `asked_at`."""
    return [
        *_about_names(observation, source),
        *_about_time(observation, asked_at, now),
        *(fault for reading in observation.readings for fault in _about_numbers(reading)),
        *(fault for reading in observation.readings for fault in _about_abilities(reading)),
        *(fault for reading in observation.readings if isinstance(reading, Queue) for fault in _about_queue(reading)),
        *_about_links(observation),
    ]


def _about_names(observation: Observation, source: str) -> Iterator[str]:
    for ref, count in Counter(reading.ref for reading in observation.readings).items():
        if count > 1:
            yield f"{ref} is there {count} times"
        if ref.source != source:
            yield f"{ref} belongs to another source"
    for reading in observation.readings:
        expected = READING_KINDS.get(Kind.SPEND if reading.ref.kind is Kind.KEY else reading.ref.kind)
        if expected is None or not isinstance(reading, expected):
            yield f"{reading.ref} is a {type(reading).__name__}"
    for name, count in Counter(replica.name for replica in observation.replicas).items():
        if count > 1:
            yield f"replica {name} is there {count} times"


def _about_time(observation: Observation, asked_at: float, now: float) -> Iterator[str]:
    if not asked_at <= observation.observed_at <= now:
        yield f"observed at {observation.observed_at}, asked for at {asked_at}, and the clock says {now}"
    for reading in observation.readings:
        if not 0 < reading.observed_at <= now:
            yield f"{reading.ref} was observed at {reading.observed_at}, which is not before {now}"


def _about_numbers(reading: AnyReading) -> Iterator[str]:
    for path, value in _numbers(msgspec.to_builtins(reading)):
        name = path.rsplit(".", 1)[-1]
        if not math.isfinite(value):
            yield f"{reading.ref}: {path} is {value}"
        elif value < 0 and name != "order":
            yield f"{reading.ref}: {path} is {value}, below zero"
        elif (name.endswith("_ratio") or name == "share") and value > 1:
            yield f"{reading.ref}: {path} is {value}, more than the whole"
    traffic = getattr(reading, "traffic", None)
    if traffic is not None and traffic.window_s <= 0:
        yield f"{reading.ref}: a window of {traffic.window_s} s"
    if traffic is not None and traffic.errors_per_min > traffic.requests_per_min + 0.2:
        yield f"{reading.ref}: more errors than requests"
    yield from _about_headroom(reading)


def _about_headroom(reading: AnyReading) -> Iterator[str]:
    headroom: Headroom | None = getattr(reading, "headroom", None)
    if headroom is not None:
        pairs = (
            ("requests", headroom.requests_left, headroom.requests_limit),
            ("tokens", headroom.tokens_left, headroom.tokens_limit),
        )
        for name, left, limit in pairs:
            if left is not None and limit is not None and left > limit:
                yield f"{reading.ref}: {left} of {limit} {name} left"


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield path, float(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _numbers(inner, f"{path}[{number}]")


def _about_abilities(reading: AnyReading) -> Iterator[str]:
    declared = {ability.verb: ability for ability in reading.can}
    if len(declared) != len(reading.can):
        yield f"{reading.ref} declares a verb twice"
    for verb in VERBS_OF.get(reading.ref.kind, ()):
        if verb not in declared:
            yield f"{reading.ref} does not say whether it can {verb}"
    for ability in reading.can:
        if not ability.able and not ability.reason:
            yield f"{reading.ref} cannot {ability.verb} and does not say why"
    if isinstance(reading, Route) and reading.ability(Verb.SWITCH).able != bool(reading.switch_options):
        yield f"{reading.ref}: its switch options and its ability to switch do not agree"


def _about_queue(queue: Queue) -> Iterator[str]:
    if (queue.age_quality is AgeQuality.UNKNOWN) != (queue.oldest_age_s is None):
        yield f"{queue.ref}: its age is {queue.oldest_age_s} and {queue.age_quality}"
    if queue.depth == 0 and queue.oldest_age_s is not None:
        yield f"{queue.ref}: nothing waits, and the oldest of it has an age"
    if sum(one.depth for one in queue.priorities) > queue.depth:
        yield f"{queue.ref}: more wait by priority than in all"
    if queue.dead_letters is not None and not queue.dead_letter_queue:
        yield f"{queue.ref}: it has dead letters and does not say where"
    if queue.dead_letter_queue and queue.dead_letter_queue == queue.ref.name:
        yield f"{queue.ref}: it is its own dead-letter queue"
    if queue.paused and queue.ability(Verb.PAUSE).able:
        yield f"{queue.ref}: it is paused and can be paused"
    if not queue.parked and queue.ability(Verb.REPLAY).able:
        yield f"{queue.ref}: nothing is parked and it can be replayed"
    if not queue.dead_letters and queue.ability(Verb.REQUEUE).able:
        yield f"{queue.ref}: nothing is dead and it can be put back"


def _about_links(observation: Observation) -> Iterator[str]:
    deployments = {r.ref.name for r in observation.readings if isinstance(r, Deployment)}
    routes = {r.ref.name for r in observation.readings if isinstance(r, Route)}
    providers = {r.ref.name for r in observation.readings if isinstance(r, Provider)}
    replicas = {replica.name for replica in observation.replicas}
    for reading in observation.readings:
        if isinstance(reading, Deployment):
            yield from _missing(reading, "its provider", (reading.provider,), providers)
            yield from _missing(reading, "its route", reading.routes, routes)
            yield from _missing(
                reading, "its circuit's replica", (r.replica for r in reading.circuit.replicas), replicas
            )
        elif isinstance(reading, Route):
            yield from _missing(reading, "its target", (target.deployment for target in reading.targets), deployments)
            yield from _missing(reading, "its fallback", reading.fallbacks, routes)
        elif isinstance(reading, Provider):
            yield from _missing(reading, "its deployment", reading.deployments, deployments)
        elif isinstance(reading, Spend) and not reading.subject:
            yield f"{reading.ref} is about nobody"


def _missing(reading: AnyReading, what: str, names: Any, known: set[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{reading.ref}: {what} {name!r} is not among the readings"


def faults_of_plan(plan: Plan, verb: Verb) -> list[str]:
    """Everything in a plan that the contract does not allow."""
    found = []
    if plan.verb is not verb:
        found.append(f"asked for {verb}, planned {plan.verb}")
    for what, there in (
        ("steps", plan.steps),
        ("expectations", plan.expects),
        ("words", plan.words),
        ("a generation", plan.generation),
        ("replicas", plan.replicas),
        ("what is replaced", plan.before),
    ):
        if not there:
            found.append(f"the plan has no {what}")
    if set(plan.before) != set(plan.after):
        found.append("before and after are not about the same fields")
    if bool(plan.undo) != bool(plan.undo_expects):
        found.append("a way back and what it has to show belong together")
    found.extend(f"step {step.op} has no words" for step in (*plan.steps, *plan.undo) if not step.words)
    found.extend(
        f"an expectation of {e.field} has no words" for e in (*plan.expects, *plan.undo_expects) if not e.words
    )
    if plan.converge_s <= 0:
        found.append("no time to converge")
    if msgspec.json.decode(msgspec.json.encode(plan), type=Plan) != plan:
        found.append("the plan is another one after a trip through JSON")
    return found
