"""A home for Switchgear itself beside the testbed: its config, state and sockets in the testbed's own folder."""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.real.stack.cache import PROJECT
from tests.real.stack.litellm import MASTER_KEY
from tests.real.stack.processes import START_S, Child, StartError
from tests.real.stack.rabbitmq import CONSOLE
from tests.real.stack.testbed import Testbed

KEY_VARIABLE = "SWITCHGEAR_TESTBED_KEY"
"""The variable in which the engine finds the gateways' key: the config only refers to it."""
BROKER_VARIABLE = "SWITCHGEAR_TESTBED_BROKER"
"""The same for the broker's password."""


class Home:
    """One environment of Switchgear over the testbed, apart from the user's own."""

    def __init__(
        self,
        testbed: Testbed,
        environment: str,
        *,
        access: str = "operate",
        replicas: tuple[str, ...] | None = None,
        plain: bool = False,
        sources: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """`replicas` are gateway addresses instead of the testbed's own; `plain` takes the one without a database.

        `sources` are further backends, as they stand in the config; `more` are further settings of the environment.
        """
        self.testbed = testbed
        self.name = environment
        self.folder = testbed.nursery.folder / f"home-{environment}"
        for part in ("run", "state"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
            (self.folder / part).chmod(0o700)
        redis = testbed.plain_redis if plain else testbed.redis
        addresses = [testbed.alone().url] if plain else [one.url for one in testbed.replicas]
        source = {
            "adapter": "litellm",
            "interval": "3s",
            "timeout": "2.7s",
            "options": {"replicas": list(replicas or addresses), "key": f"env:{KEY_VARIABLE}", "redis": redis.url},
        }
        settings = {"access": access, "sources": {"gateway": source, **(sources or {})}, **more}
        self.config = self.folder / "config.yaml"
        self.config.write_text(json.dumps({"schemaVersion": 1, "environments": {environment: settings}}, indent=1))

    @property
    def socket(self) -> Path:
        """Where the engine listens."""
        return self.folder / "run" / f"{self.name}.sock"

    @property
    def listens(self) -> bool:
        """Whether an engine answers here."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
            return True

    def environment(self) -> dict[str, str]:
        """The variables that lead Switchgear to this home."""
        return os.environ | {
            "SWITCHGEAR_CONFIG": str(self.config),
            "SWITCHGEAR_RUNTIME_DIR": str(self.folder / "run"),
            "SWITCHGEAR_STATE_DIR": str(self.folder / "state"),
            KEY_VARIABLE: MASTER_KEY,
            BROKER_VARIABLE: CONSOLE[1],
        }

    @staticmethod
    def command() -> list[str]:
        """The installed command, beside this interpreter."""
        return [str(Path(sys.executable).with_name("switchgear"))]

    def start_engine(self, **variables: str) -> Child:
        """The engine as a child of the testbed, listening; `variables` are added to its environment.

        Raises:
            StartError: it did not come up.
        """
        command = [sys.executable, "-m", "console.server", self.name, "--stay"]
        env = self.environment() | variables
        child = self.testbed.nursery.spawn(f"engine-{self.name}", command, env=env, cwd=PROJECT, orderly=True)
        child.wait_until(lambda: self.listens, START_S)
        return child

    def engine_again(self) -> None:
        """See to it that an engine runs after a killed one: a console that is still open starts one too, and only the
        quicker one stays.

        Raises:
            StartError: none came up.
        """
        try:
            self.start_engine()
        except StartError:
            end = time.monotonic() + 30
            while not self.listens:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def end_engine(self) -> None:
        """Ask the engine that runs here to end, whoever started it, and wait until it has let go of its socket."""
        lock = self.folder / "state" / self.name / "engine.lock"
        with suppress(OSError, ValueError):
            os.kill(int(json.loads(lock.read_text())["pid"]), signal.SIGINT)
        end = time.monotonic() + 30
        while self.listens and time.monotonic() < end:
            time.sleep(0.05)
