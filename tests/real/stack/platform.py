"""The whole platform: gateways with traffic, queues with producers and workers, and a collector of their spans."""

import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.real.stack.cache import PROJECT
from tests.real.stack.collector import Collector
from tests.real.stack.jobs import INDEX_MODEL, JOBS, WORKERS_KEY, Ledger, declare
from tests.real.stack.processes import Child, Nursery
from tests.real.stack.rabbitmq import CONSOLE, RabbitServer
from tests.real.stack.switchgear import BROKER_VARIABLE
from tests.real.stack.testbed import Testbed

_TRAFFIC_S = 8 * 3600.0


@dataclass(slots=True)
class Platform:
    """What runs beside the gateways; `broker` is None where the machine has no RabbitMQ, and then nobody works."""

    nursery: Nursery
    testbed: Testbed
    broker: RabbitServer | None
    collector: Collector
    working: dict[str, Child] = field(default_factory=dict)
    """Producers, traffic, and the workers by their queue."""

    @property
    def ledger(self) -> Ledger:
        """What was sent and what was done."""
        return Ledger(self.nursery.folder / "ledger")

    def furnish(self) -> None:
        """The route, the key and the queues that the work needs; the gateways have them a few seconds later."""
        self.testbed.add_model(INDEX_MODEL)
        self.testbed.add_key(WORKERS_KEY)
        if self.broker is not None:
            declare(self.broker)
        self.testbed.on_all(lambda replica: INDEX_MODEL.id in replica.deployments())

    def clear(self) -> None:
        """End the work, and take away from the gateways what `furnish` put there."""
        self.stop(*self.working)
        self.testbed.remove_model(INDEX_MODEL)
        self.testbed.remove_key(WORKERS_KEY)

    def start_traffic(self, per_s: float) -> None:
        """Applications that ask the gateways directly."""
        options = ["--per-s", str(per_s), "--seconds", str(_TRAFFIC_S), "--spans", self.collector.url]
        self._spawn("traffic", "traffic", [*options, *self._gateways()])

    def start_work(self, times: float = 1.0) -> None:
        """Producers, at `times` their usual rate, and every queue's workers, as far as they are not at work already;
        nothing without a broker.
        """
        for job in JOBS:
            self.start_workers(job.queue)
        self.start_producers(times)

    def start_workers(self, queue: str) -> None:
        """The workers of one queue."""
        if self.broker is not None:
            self._spawn(queue, "workers", [queue, *self._way(), *self._gateways()])

    def start_producers(self, times: float = 1.0) -> None:
        """What puts jobs into every queue."""
        if self.broker is not None:
            self._spawn("producers", "producers", [*self._way(), "--times", str(times)])

    def stop(self, *names: str) -> None:
        """End some of what works, all at the same time: what it has in its hands goes back to its queue."""
        ending = [self.working.pop(name) for name in names]
        for child in ending:
            child.signal(signal.SIGINT)
        for child in ending:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(10)
            child.kill()

    def settings(self) -> dict[str, Any]:
        """What the config says of it besides the gateways: sources, and which queue's work goes to which route."""
        every = {"interval": "3s", "timeout": "2.7s"}
        traces = {"adapter": "otlp", **every, "options": {"file": str(self.collector.file), "window": "60s"}}
        if self.broker is None:
            return {"sources": {"traces": traces}}
        options = {
            "urls": [self.broker.url],
            "user": CONSOLE[0],
            "password": f"env:{BROKER_VARIABLE}",
            "amqp": self.broker.amqp,
            "replay_per_s": 20,
        }
        jobs = {"adapter": "rabbitmq", **every, "options": options}
        feeds = {f"jobs:queue/{job.queue}": [f"gateway:route/{job.route}"] for job in JOBS}
        return {"sources": {"jobs": jobs, "traces": traces}, "feeds": feeds}

    def _gateways(self) -> list[str]:
        return [replica.url for replica in self.testbed.replicas]

    def _way(self) -> list[str]:
        assert self.broker is not None
        return ["--amqp", self.broker.amqp, "--spans", self.collector.url, "--ledger", str(self.ledger.folder)]

    def _spawn(self, name: str, module: str, options: list[str]) -> None:
        if name in self.working:
            return
        command = [sys.executable, "-m", f"tests.real.stack.{module}", *options]
        self.working[name] = self.nursery.spawn(name, command, cwd=PROJECT, orderly=True)
