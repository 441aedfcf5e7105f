"""Work that waits in queues: which queues there are, which route each one's workers ask, and how a job is lost."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.real.stack.fleet import Key, Model
from tests.real.stack.rabbitmq import RabbitServer

EXCHANGE = "jobs"
"""Where producers publish to; a queue's name is its routing key."""
TRIES = 3
"""So often a job is tried before it is a dead letter."""
BACKOFF_S = 1.0
"""So long a worker waits after a failure, with the job in its hands."""
RETRIES_HEADER = "x-retries"
"""How often a job was tried before, where the worker puts it back itself."""


@dataclass(frozen=True, slots=True)
class Job:
    """One queue with its producers and its workers."""

    queue: str
    route: str
    """Which model group of the gateways its workers ask."""
    service: str
    """What its workers are called in spans."""
    per_s: float
    """Jobs a second that come in."""
    slots: int
    """Jobs that its workers do at a time."""
    work_s: float
    """What a job takes besides the model's answer."""
    kind: str = "classic"

    @property
    def dead(self) -> str:
        """Its dead-letter queue."""
        return f"{self.queue}.dead"


JOBS = (
    Job("chat-jobs", "gpt-main", "chat-worker", per_s=2.0, slots=6, work_s=0.1),
    Job("index-jobs", "index-main", "index-worker", per_s=2.0, slots=3, work_s=0.3),
    Job("report-jobs", "claude-main", "report-worker", per_s=0.5, slots=2, work_s=0.5, kind="quorum"),
)
"""`chat-jobs` has a route with several providers behind it, the other two have one provider each."""

INDEX_MODEL = Model("azure-index", "index-main", "azure/gpt-4o", "", upstream="azure-b")
"""A route that has nothing but azure-b behind it: other routes go round its faults, the work for this one waits."""
WORKERS_KEY = Key("workers", "sk-real-tier-workers", tuple(job.route for job in JOBS), 50.0)
"""Whom the gateways see asking."""


def named(queue: str) -> Job:
    """One of the jobs.

    Raises:
        StopIteration: there is none of that name.
    """
    return next(job for job in JOBS if job.queue == queue)


def declare(broker: RabbitServer) -> None:
    """The exchange, and every queue with its dead letters."""
    broker.call("PUT", f"exchanges/%2F/{EXCHANGE}", {"type": "direct", "durable": True})
    for job in JOBS:
        broker.declare(job.dead)
        arguments: dict[str, Any] = {
            "x_queue_type": job.kind,
            "x_dead_letter_exchange": "",
            "x_dead_letter_routing_key": job.dead,
        }
        if job.kind == "quorum":
            arguments["x_delivery_limit"] = TRIES - 1
        broker.declare(job.queue, **arguments)
        binding = f"bindings/%2F/e/{EXCHANGE}/q/{quote(job.queue, safe='')}"
        broker.call("POST", binding, {"routing_key": job.queue})


@dataclass(slots=True)
class Ledger:
    """What was sent and what was done, by message id, as producers and workers write it down themselves."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    def note(self, queue: str, what: str, message_id: str) -> None:
        """One message more; the line is in the file when this returns."""
        with self._file(queue, what).open("a") as file:
            file.write(f"{message_id}\n")

    def read(self, queue: str, what: str) -> "Counter[str]":
        """How often each message is in it."""
        file = self._file(queue, what)
        return Counter(file.read_text().split()) if file.exists() else Counter()

    def _file(self, queue: str, what: str) -> Path:
        return self.folder / f"{queue}.{what}"
