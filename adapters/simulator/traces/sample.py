"""One kept request: what is known of it, enough to tell it span by span later."""

from dataclasses import dataclass
from typing import Final

from adapters.simulator.answers.manner import Manner, Way, manner_of
from adapters.simulator.parts import Route
from adapters.simulator.queues.backlog import Delivery
from adapters.simulator.traces.knowledge import Index, Memory

RECALL_PART: Final = 0.1
"""Part of the work before a call in which the conversation's memory is read; then it searches."""


@dataclass(slots=True)
class Sample:
    """One request."""

    trace_id: str
    service: str
    route: Route
    queue: str
    """The queue in which it waited; empty when none is in front."""
    began_at: float
    """Unix seconds at which it came in."""
    deliveries: tuple[Delivery, ...]
    """The times that it was worked on; one, but for jobs that were tried again."""
    conversation: str
    snapshots: tuple[str, ...]
    """The retrieval index's version that each delivery answered from; empty without retrieval."""
    prompt: str
    """The version of the prompt that was used last."""
    memory: Memory | None
    """What its conversation remembers; None without a conversation, and where nothing of it was written down."""
    tenant: str
    """The key with which it was asked."""
    way: Way | None
    """How its group answered; None when no deployment was asked at all."""
    lost: bool = False
    """Whether what it wrote to memory was lost."""
    _manner: Manner | None = None
    """Worked out when it is first told."""

    @property
    def manner(self) -> Manner | None:
        """How it was answered; None when no deployment was asked at all."""
        if self._manner is None and self.way is not None:
            self._manner = manner_of(
                self.trace_id, self.route.spec, self.tenant, self.way, self.prompt, self.end_at
            )  # fmt: skip
        return self._manner

    @property
    def snapshot(self) -> str:
        """What its last delivery answered from; empty without retrieval."""
        return self.snapshots[-1] if self.snapshots else ""

    @property
    def end_at(self) -> float:
        """Unix seconds at which it was over."""
        return self.deliveries[-1].end_at

    @property
    def failure(self) -> str:
        """How it failed in the end; empty when it was answered."""
        return self.deliveries[-1].call.failure


@dataclass(slots=True)
class Seen:
    """What one service did once: counted, whether or not the request is kept."""

    at: float
    duration_s: float
    failure: str
    conversation: str
    snapshot: str


def snapshots_of(index: Index, service: str, route: Route, deliveries: tuple[Delivery, ...]) -> tuple[str, ...]:
    """The retrieval index's version that each delivery answered from; empty where a route is called without it."""
    if "retrieval" not in route.spec.around:
        return ()
    return tuple(index.snapshot(service, one.at + RECALL_PART * one.before_s) for one in deliveries)
