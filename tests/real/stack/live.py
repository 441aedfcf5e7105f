"""The testbed for a person: servers with traffic, and the console on them; faults are told from another terminal."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.real.stack.cache import PROJECT, cache_dir
from tests.real.stack.fleet import MODELS
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed, start_testbed
from tests.real.stack.upstream_server import MODES

ENVIRONMENT = "live"
_TRAFFIC_HOURS = 8
_PER_S = 6.0


def _note() -> Path:
    """Where a running testbed says how its upstreams are reached."""
    return cache_dir() / "live.json"


@contextlib.contextmanager
def running() -> Iterator[Testbed]:
    """The testbed with traffic on it, known to `tell_fault`; prints where everything is."""
    print("starting PostgreSQL, Redis, LiteLLM (two replicas, and one without a database) and upstreams …", flush=True)
    testbed = start_testbed()
    try:
        urls = [replica.url for replica in testbed.replicas]
        options = ["--per-s", str(_PER_S), "--seconds", str(_TRAFFIC_HOURS * 3600)]
        traffic = [sys.executable, "-m", "tests.real.stack.traffic", *options, *urls]
        testbed.nursery.spawn("traffic", traffic, cwd=PROJECT)
        _note().write_text(json.dumps({"upstreams": testbed.upstreams.url, "models": [model.id for model in MODELS]}))
        print(_where(testbed), flush=True)
        yield testbed
    finally:
        _note().unlink(missing_ok=True)
        testbed.close()


def live() -> int:
    """Everything, with the console on it; without a terminal, everything until it is interrupted."""
    with running() as testbed:
        home = Home(testbed, ENVIRONMENT)
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


def _where(testbed: Testbed) -> str:
    names = ", ".join(model.id for model in MODELS)
    replicas = "\n".join(f"  LiteLLM    {replica.url}" for replica in testbed.replicas)
    plain = f"\n  LiteLLM    {testbed.plain.url}   (no database)" if testbed.plain else ""
    return f"""running, until this ends:
{replicas}{plain}
  Redis      {testbed.redis.url}   PostgreSQL {testbed.postgres.url}
  upstreams  {testbed.upstreams.url}   {names}
  logs       {testbed.nursery.folder}
faults, from another terminal:
  make fault NAME=openai-a MODE=500        modes: {" ".join(MODES)}
  make fault NAME=openai-a MODE=ok         heals it
  curl -d '{{"mode": "429", "error_rate": 0.5}}' {testbed.upstreams.url}/control/azure-b"""
