"""Homes for Switchgear beside one queue server, without any gateway."""

import json
from pathlib import Path
from typing import Any, cast

from tests.real.stack.nats import NatsServer
from tests.real.stack.rabbitmq import CONSOLE, RabbitServer
from tests.real.stack.switchgear import BROKER_VARIABLE, Home
from tests.real.stack.testbed import Testbed


class QueueHome(Home):
    """An environment of Switchgear over a queue server alone, in a folder of the test's own with a short name."""

    def __init__(
        self, server: NatsServer | RabbitServer, folder: Path, name: str, adapter: str, **options: Any
    ) -> None:
        """`name` is the source's, `options` are the adapter's."""
        self.testbed = cast(Testbed, server)  # an engine needs a nursery and no gateways
        self.name = folder.name.replace("_", "-")[:30]
        self.folder = folder
        for part in ("run", "state"):
            (folder / part).mkdir(mode=0o700)
        options = {"urls": [server.url], "replay_per_s": 20_000, **options}
        source = {"adapter": adapter, "interval": "2s", "timeout": "1.8s", "options": options}
        settings = {"access": "operate", "sources": {name: source}}
        self.config = folder / "config.yaml"
        self.config.write_text(json.dumps({"schemaVersion": 1, "environments": {self.name: settings}}))


def broker_home(server: RabbitServer, folder: Path, **options: Any) -> QueueHome:
    """Over RabbitMQ, as the source `jobs`; `options` are put over those that lead to it."""
    who = {"user": CONSOLE[0], "password": f"env:{BROKER_VARIABLE}"}
    return QueueHome(server, folder, "jobs", "rabbitmq", **{"amqp": server.amqp, **who, **options})


def nats_home(server: NatsServer, folder: Path, source: str) -> QueueHome:
    """Over NATS, as `source`."""
    return QueueHome(server, folder, source, "nats")
