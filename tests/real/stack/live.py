"""The platform for a person: all of it at work, and the console on it; faults are told from another terminal."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.real.stack.cache import cache_dir
from tests.real.stack.collector import Collector
from tests.real.stack.fleet import MODELS
from tests.real.stack.jobs import JOBS
from tests.real.stack.missing import Missing
from tests.real.stack.platform import Platform
from tests.real.stack.processes import Nursery
from tests.real.stack.rabbitmq import ADMIN, RabbitServer, start_rabbitmq
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import start_testbed
from tests.real.stack.upstream_server import MODES

ENVIRONMENT = "live"
_PER_S = 4.0


def _note() -> Path:
    """Where a running testbed says how its upstreams are reached."""
    return cache_dir() / "live.json"


@contextlib.contextmanager
def running() -> Iterator[Platform]:
    """Everything at work, known to `tell_fault`; prints where it is."""
    print("starting PostgreSQL, Redis, LiteLLM (two replicas, and one without a database), upstreams, RabbitMQ …")
    sys.stdout.flush()
    nursery = Nursery()
    try:
        platform = _start(nursery)
        upstreams = platform.testbed.upstreams.url
        _note().write_text(json.dumps({"upstreams": upstreams, "models": [model.id for model in MODELS]}))
        print(_where(platform), flush=True)
        yield platform
    finally:
        _note().unlink(missing_ok=True)
        nursery.close()


def _start(nursery: Nursery) -> Platform:
    """The servers side by side, then what works with them."""
    with ThreadPoolExecutor() as pool:
        broker_job = pool.submit(_broker, nursery)
        collector_job = pool.submit(Collector, nursery)
        testbed = start_testbed(nursery=nursery)
        platform = Platform(nursery, testbed, broker_job.result(), collector_job.result())
    platform.furnish()
    platform.start_traffic(_PER_S)
    platform.start_work()
    return platform


def _broker(nursery: Nursery) -> RabbitServer | None:
    """A broker, or None where the machine has none; that is said."""
    try:
        return start_rabbitmq(nursery)
    except Missing as reason:
        print(f"no queues: {reason}", flush=True)
        return None


def live() -> int:
    """Everything, with the console on it; without a terminal, everything until it is interrupted."""
    with running() as platform:
        home = Home(platform.testbed, ENVIRONMENT, **platform.settings())
        home.start_engine()
        if not sys.stdin.isatty():
            return _until_interrupted()
        return subprocess.call([*home.command(), ENVIRONMENT], env=home.environment())


def up() -> int:
    """The servers alone, until interrupted."""
    with running():
        return _until_interrupted()


def tell_fault(name: str, mode: str, *, rate: float = 1.0) -> int:
    """Make an upstream of the running testbed do something else; returns an exit code."""
    try:
        told = json.loads(_note().read_text())
    except FileNotFoundError:
        print("no testbed is running: `make live` starts one", file=sys.stderr)
        return 1
    if name not in told["models"] or mode not in MODES:
        print(f"NAME is one of {', '.join(told['models'])}; MODE one of {', '.join(MODES)}", file=sys.stderr)
        return 2
    answer = httpx.post(f"{told['upstreams']}/control/{name}", json={"mode": mode, "error_rate": rate})
    print(f"{name}: {mode}" if answer.is_success else answer.text)
    return 0 if answer.is_success else 1


def _until_interrupted() -> int:
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
    return 0


def _where(platform: Platform) -> str:
    testbed = platform.testbed
    names = ", ".join(model.id for model in MODELS)
    replicas = "\n".join(f"  LiteLLM    {replica.url}" for replica in testbed.replicas)
    plain = f"\n  LiteLLM    {testbed.plain.url}   (no database)" if testbed.plain else ""
    return f"""running, until this ends:
{replicas}{plain}
  Redis      {testbed.redis.url}   PostgreSQL {testbed.postgres.url}{_queues(platform)}
  spans      {platform.collector.url}   {platform.collector.file}
  upstreams  {testbed.upstreams.url}   {names}
  logs       {platform.nursery.folder}
faults, from another terminal:
  make fault NAME=azure-b MODE=500         modes: {" ".join(MODES)}
  make fault NAME=azure-b MODE=ok          heals it
  curl -d '{{"mode": "429", "error_rate": 0.5}}' {testbed.upstreams.url}/control/openai-a"""


def _queues(platform: Platform) -> str:
    if platform.broker is None:
        return ""
    workers = ", ".join(f"{job.queue} → {job.route}" for job in JOBS)
    return f"\n  RabbitMQ   {platform.broker.url}   (user {ADMIN[0]}, password {ADMIN[1]})\n  queues     {workers}"
