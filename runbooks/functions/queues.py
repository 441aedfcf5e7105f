"""Queues and long runs: what waits, how old it is, who takes it."""

import math

from console.domain.readings import Queue, Service, Workflow
from runbooks.functions.catalogue import Value, function
from runbooks.looking import Look, Unsaid

GROUP = "queues and workflows"


def _queue(look: Look, q: object) -> Queue:
    return look.one(q, Queue)


def _told(value: float | None, what: str) -> float:
    if value is None:
        raise Unsaid(f"{what} is not told")
    return float(value)


@function("depth(q)", "", "Messages that wait for a worker.", GROUP)
def depth(look: Look, q: object) -> Value:
    """Messages waiting."""
    return _queue(look, q).depth


@function("oldest(q)", "s", "How long the oldest of them has waited.", GROUP)
def oldest(look: Look, q: object) -> Value:
    """Age of the oldest message."""
    found = _queue(look, q)
    return 0.0 if not found.depth and found.oldest_age_s is None else _told(found.oldest_age_s, "the oldest age")


@function("consumers(q)", "", "Workers that take from it.", GROUP)
def consumers(look: Look, q: object) -> Value:
    """Workers."""
    return _told(_queue(look, q).consumers, "how many workers there are")


@function("parked(q)", "", "Messages that an operator has set aside.", GROUP)
def parked(look: Look, q: object) -> Value:
    """Messages set aside."""
    return _told(_queue(look, q).parked, "what is set aside")


@function("dead(q)", "", "Messages in its dead-letter queue.", GROUP)
def dead(look: Look, q: object) -> Value:
    """Dead letters."""
    return _told(_queue(look, q).dead_letters, "how many dead letters there are")


@function("rate_in(q)", "/min", "Messages a minute that come in.", GROUP)
def rate_in(look: Look, q: object) -> Value:
    """Messages in."""
    return _told(_queue(look, q).in_per_min, "what comes in")


@function("rate_out(q)", "/min", "Messages a minute that are taken and acknowledged.", GROUP)
def rate_out(look: Look, q: object) -> Value:
    """Messages out."""
    return _told(_queue(look, q).out_per_min, "what goes out")


@function("growth(q)", "/min", "What comes in minus what goes out; below 0 it shrinks.", GROUP)
def growth(look: Look, q: object) -> Value:
    """Net growth."""
    return _told(_queue(look, q).growth_per_min, "what comes in and goes out")


@function(
    "redelivered(q)", "part", "Deliveries of messages that were delivered before, for each one that is done.", GROUP
)
def redelivered(look: Look, q: object) -> Value:
    """Redeliveries for each message done."""
    found = _queue(look, q)
    again, out = found.redelivered_per_min, found.out_per_min
    if again is None or not out:
        raise Unsaid("what is delivered again is not told")
    return again / out


@function(
    "time_to_drain(q)",
    "s",
    "Until nothing waits, at the present rates; endless (greater than any number) while it grows.",
    GROUP,
)
def time_to_drain(look: Look, q: object) -> Value:
    """Seconds until it is empty."""
    found = _queue(look, q)
    if found.depth and found.growth_per_min is None:
        raise Unsaid("what comes in and goes out is not told")
    return math.inf if found.drain_s is None else found.drain_s


@function("paused(q)", "bool", "Whether an operator keeps workers from it.", GROUP)
def paused(look: Look, q: object) -> Value:
    """Whether it is paused."""
    return _queue(look, q).paused


def _workflows(look: Look, s: object) -> tuple[Workflow, ...]:
    found = look.one(s, Service)
    if not found.workflows:
        raise Unsaid("no workflows of it are told")
    return found.workflows


@function("stuck(service)", "", "Runs of its workflows without progress for three times what a step takes.", GROUP)
def stuck(look: Look, service: object) -> Value:
    """Stuck runs."""
    return float(sum(one.stuck for one in _workflows(look, service)))


@function("idle(service)", "s", "How long ago the run that has waited longest made its last step.", GROUP)
def idle(look: Look, service: object) -> Value:
    """The longest idle time."""
    known = [one.idle_most_s for one in _workflows(look, service) if one.idle_most_s is not None]
    return _told(max(known, default=None), "when its runs got on")


@function("duplicates(service)", "", "Side effects that its workflows did more than once, in the last hour.", GROUP)
def duplicates(look: Look, service: object) -> Value:
    """Duplicate side effects."""
    return float(sum(one.duplicates for one in _workflows(look, service)))


@function("snapshots(service)", "names", "Retrieval snapshots that it answered from lately, the newest first.", GROUP)
def snapshots(look: Look, service: object) -> Value:
    """Retrieval snapshots."""
    found = look.one(service, Service)
    if len(found.snapshots) > 100:
        raise Unsaid("there are too many of them")
    return list(found.snapshots)
