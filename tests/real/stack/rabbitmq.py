"""RabbitMQ on loopback: a broker of its own (name, ports, data, cookie, epmd), which can be killed and come back."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from tests.real.stack.missing import Missing
from tests.real.stack.processes import Child, Nursery, free_port, run_as

if TYPE_CHECKING:
    import aiormq.abc

ADMIN = ("admin", "admin-secret")
"""Who may do everything: the tests' own hand."""
CONSOLE = ("console", "console-secret")
"""Whom the console is: tags policymaker and monitoring."""
PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus", "rabbitmq_shovel", "rabbitmq_shovel_management")
STATS_MS = 1000
"""How often a queue tells the management API its numbers, and how fine the steps are in which that keeps them. The
server's default is 5,000 for both."""
_WRAPPED = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_WINDOW = 2000
_START_LIMIT_S = 60.0
_ALARMS: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "memory": (("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", "0.4")),
    "disk": (("set_disk_free_limit", "100000GB"), ("set_disk_free_limit", "50MB")),
}
"""What raises an alarm, and what ends it."""


@dataclass(frozen=True, slots=True)
class Install:
    """A RabbitMQ on this machine: `rabbitmq-server` itself, not Debian's wrapper around it, which insists on its own
    account and folders."""

    server: Path
    root: Path | None = None
    """The folder of another system in which it runs (`chroot`); None for this one."""

    def command(self, program: str = "rabbitmq-server") -> list[str | Path]:
        """How one of its programs is started."""
        path = self.server.with_name(program)
        return [path] if self.root is None else ["chroot", self.root, path]

    def inside(self, path: Path) -> str:
        """A path as the server sees it."""
        return str(path) if self.root is None else f"/{path.relative_to(self.root)}"


def program() -> Install:
    """The RabbitMQ of this machine.

    Raises:
        Missing: there is none.
    """
    found = str(_WRAPPED) if _WRAPPED.exists() else shutil.which("rabbitmq-server")
    if not found or not shutil.which("epmd"):
        raise Missing("RabbitMQ is not installed (apt-get install rabbitmq-server, or brew install rabbitmq)")
    return Install(Path(found).resolve())


def program_in(root: Path) -> Install:
    """The RabbitMQ of another Debian, unpacked into a folder by debootstrap.

    Raises:
        Missing: it is not there, or this is not root.
    """
    if not (root / _WRAPPED.relative_to("/")).is_symlink():
        raise Missing(f"{root} holds no Debian with a RabbitMQ")
    if os.geteuid() != 0:
        raise Missing("only root can run a RabbitMQ out of another system")
    return Install(_WRAPPED, root)


@dataclass(slots=True)
class RabbitServer:
    """A broker on this machine; `kill` and `start` keep its data."""

    nursery: Nursery
    home: Path
    install: Install
    stats_ms: int
    plugins: tuple[str, ...]
    amqp_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    dist_port: int = field(default_factory=free_port)
    epmd_port: int = field(default_factory=free_port)
    child: Child | None = None
    epmd: Child | None = None

    @property
    def url(self) -> str:
        """The management API."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def amqp(self) -> str:
        """Where AMQP is taken, without a user."""
        return f"amqp://127.0.0.1:{self.amqp_port}"

    @property
    def metrics(self) -> str:
        """The metrics for Prometheus."""
        return f"http://127.0.0.1:{self.metrics_port}"

    def start(self) -> None:
        """Start it, the first time or again on the data that it had, and wait until it takes requests.

        Raises:
            StartError: it did not come up.
        """
        if self.epmd is None:
            epmd: list[str | Path] = [shutil.which("epmd") or "epmd", "-address", "127.0.0.1"]
            self.epmd = self.nursery.spawn(f"{self.home.name}-epmd", [*epmd, "-port", str(self.epmd_port)])
        command = [*self.install.command(), "-noinput"]
        self.child = self.nursery.spawn(self.home.name, command, env=self._environment(), cwd=self.home)
        self.child.wait_until(self._ready, _START_LIMIT_S)

    def kill(self) -> None:
        """End it as a crash would; its data stays."""
        if self.child is not None:
            self.child.kill()

    def stop(self) -> None:
        """End it and its epmd; its data stays."""
        self.kill()
        if self.epmd is not None:
            self.epmd.kill()
            self.epmd = None

    def control(self, *words: str) -> None:
        """`rabbitmqctl` on this broker; it takes a second.

        Raises:
            StartError: it failed; the text is its output.
        """
        run_as([*self.install.command("rabbitmqctl"), *words], None, **self._environment())

    @contextmanager
    def alarm(self, resource: str) -> Iterator[None]:
        """An alarm for "memory" or "disk", for a while."""
        high, low = _ALARMS[resource]
        self.control(*high)
        try:
            yield
        finally:
            self.control(*low)

    def call(self, method: str, path: str, body: Any = None, user: tuple[str, str] = ADMIN) -> Any:
        """One request to the management API and its JSON, or None where there is no body.

        Raises:
            httpx.HTTPStatusError: it answered with an error; the text has its body.
        """
        answer = httpx.request(method, f"{self.url}/api/{path}", json=body, auth=user, timeout=30)
        if answer.is_error:
            words = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            raise httpx.HTTPStatusError(words, request=answer.request, response=answer)
        return answer.json() if answer.content else None

    def declare(self, queue: str, vhost: str = "/", *, durable: bool = True, **arguments: Any) -> None:
        """A queue; `x_dead_letter_exchange="…"` and the like become its arguments."""
        given = {name.replace("_", "-"): value for name, value in arguments.items()}
        self.call("PUT", f"queues/{_q(vhost)}/{_q(queue)}", {"durable": durable, "arguments": given})

    def queue(self, queue: str, vhost: str = "/") -> dict[str, Any]:
        """One queue as the management API shows it; its numbers are up to `stats_ms` old."""
        found: dict[str, Any] = self.call("GET", f"queues/{_q(vhost)}/{_q(queue)}")
        return found

    def clear(self) -> None:
        """Take away every shovel, policy, queue and exchange that was made; users and virtual hosts stay."""
        for what in ("parameters/shovel", "policies"):
            for found in self.call("GET", what):
                self.call("DELETE", f"{what}/{_q(found['vhost'])}/{_q(found['name'])}")
        for queue in self.call("GET", "queues?disable_stats=true"):
            self.call("DELETE", f"queues/{_q(queue['vhost'])}/{_q(queue['name'])}")
        for exchange in self.call("GET", "exchanges?columns=name,vhost"):
            if exchange["name"] and not exchange["name"].startswith("amq."):
                self.call("DELETE", f"exchanges/{_q(exchange['vhost'])}/{_q(exchange['name'])}")

    def add_user(self, name: str, password: str, tags: str, vhost: str = "/", rights: str = ".*") -> None:
        """A user with all permissions (or `rights` as the pattern of all three) in one virtual host."""
        self.call("PUT", f"users/{_q(name)}", {"password": password, "tags": tags})
        pattern = {"configure": rights, "write": rights, "read": rights}
        self.call("PUT", f"permissions/{_q(vhost)}/{_q(name)}", pattern)

    @asynccontextmanager
    async def channel(self, vhost: str = "/", prefetch: int = 0) -> "AsyncIterator[aiormq.abc.AbstractChannel]":
        """A connection as the administrator and a channel with publisher confirms on it."""
        import aiormq

        url = f"amqp://{ADMIN[0]}:{ADMIN[1]}@127.0.0.1:{self.amqp_port}/{_q(vhost)}"
        connection = await aiormq.connect(url)
        try:
            channel = await connection.channel(publisher_confirms=True)
            if prefetch:
                await channel.basic_qos(prefetch_count=prefetch)
            yield channel
        finally:
            await connection.close()

    async def publish(self, queue: str, bodies: Iterable[bytes], vhost: str = "/", **properties: Any) -> int:
        """Put persistent messages into a queue; returns how many once the broker has confirmed all of them.

        `properties` are those of AMQP: `headers`, `priority`, `timestamp` (a datetime), `message_id` …
        """
        import aiormq

        sent = 0
        async with self.channel(vhost) as channel:
            waiting: list[asyncio.Task[Any]] = []
            for body in bodies:
                about = aiormq.spec.Basic.Properties(delivery_mode=2, **properties)
                publishing = channel.basic_publish(body, routing_key=queue, properties=about)
                waiting.append(asyncio.ensure_future(publishing))
                sent += 1
                if len(waiting) >= _WINDOW:
                    await asyncio.gather(*waiting)
                    waiting.clear()
            await asyncio.gather(*waiting)
        return sent

    async def take(self, queue: str, vhost: str = "/", limit: int | None = None) -> "list[aiormq.abc.DeliveredMessage]":
        """Take messages out of a queue, acknowledged, oldest first, until it is empty or `limit` are taken."""
        taken: list[aiormq.abc.DeliveredMessage] = []
        async with self.channel(vhost) as channel:
            while limit is None or len(taken) < limit:
                message = await channel.basic_get(queue, no_ack=True)
                if message.delivery_tag is None:
                    break
                taken.append(message)
        return taken

    async def count(self, queue: str, vhost: str = "/") -> int:
        """How many messages wait, from the queue itself and not from statistics: exact at this moment."""
        async with self.channel(vhost) as channel:
            found = await channel.queue_declare(queue, passive=True)
            return found.message_count or 0

    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        home = Path(self.install.inside(self.home))
        return kept | {
            "HOME": str(home),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_ALLOW_INPUT": "1",  # run the virtual machine itself, so that its process id is the child's
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": f"switchgear-{self.amqp_port}@localhost",
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def write_config(self) -> None:
        """Its config files, once."""
        name, password = ADMIN
        (self.home / "rabbitmq.conf").write_text(f"""\
listeners.tcp.local = 127.0.0.1:{self.amqp_port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {self.http_port}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {self.metrics_port}
default_user = {name}
default_pass = {password}
default_user_tags.administrator = true
collect_statistics_interval = {self.stats_ms}
disk_free_limit.absolute = 50MB
vm_memory_calculation_strategy = allocated
log.console = true
log.console.level = warning
""")
        steps = f"[{{605,{max(1, self.stats_ms // 1000)}}},{{3660,60}},{{29400,600}},{{86400,1800}}]"
        kept = ",".join(f"{{{part},{steps}}}" for part in ("global", "basic", "detailed"))
        agent = f"{{rabbitmq_management_agent,[{{sample_retention_policies,[{kept}]}}]}}"
        (self.home / "advanced.config").write_text(f"[{agent}].\n")
        (self.home / "enabled_plugins").write_text(f"[{','.join(self.plugins)}].\n")

    def _ready(self) -> bool:
        """Whether both of its doors are open: the management API may answer before AMQP is listened for."""
        try:
            answer = httpx.get(f"{self.url}/api/overview", auth=ADMIN, timeout=2)
            if not answer.is_success or not answer.json().get("listeners"):
                return False
            with socket.create_connection(("127.0.0.1", self.amqp_port), timeout=2):
                return True
        except (httpx.TransportError, OSError):
            return False


def start_rabbitmq(
    nursery: Nursery,
    name: str = "rabbitmq",
    *,
    stats_ms: int = STATS_MS,
    plugins: tuple[str, ...] = PLUGINS,
    install: Install | None = None,
) -> RabbitServer:
    """A broker on free ports with the users ADMIN and CONSOLE, ready. The nursery's folder is in the install's root.

    Raises:
        Missing: RabbitMQ is not installed.
        StartError: it did not come up.
    """
    home = nursery.folder / name
    home.mkdir()
    server = RabbitServer(nursery, home, install or program(), stats_ms, plugins)
    server.write_config()
    server.start()
    server.add_user(*CONSOLE, tags="policymaker,monitoring")
    return server


def _q(name: str) -> str:
    return quote(name, safe="")
