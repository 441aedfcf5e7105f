"""The testbed: two LiteLLM replicas over one PostgreSQL and one Redis, one gateway without a database, upstreams."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx

from tests.real.stack import postgres, redis_server
from tests.real.stack.fleet import (
    FILE_MODEL,
    KEYS,
    MODELS,
    ROUTING,
    VIEWER_KEY,
    Key,
    Model,
    database_config,
    file_config,
)
from tests.real.stack.install import LiteLLMInstall, install_litellm
from tests.real.stack.litellm import Replica, spawn_litellm, wait_ready
from tests.real.stack.postgres import Postgres, start_postgres
from tests.real.stack.processes import Nursery, StartError
from tests.real.stack.redis_server import RedisServer, start_redis
from tests.real.stack.upstreams import Upstreams, start_upstreams


def require() -> LiteLLMInstall:
    """Everything that has to be there before a server can start, installed when it can be.

    Raises:
        Missing: something cannot be had; cheap checks come first.
    """
    postgres.programs()
    redis_server.program()
    return install_litellm()


@dataclass(slots=True)
class Testbed:
    """What runs. `replicas` share database and Redis; `plain` is the gateway without a database, with its own Redis,
    once somebody has asked for it.
    """

    __test__: ClassVar[bool] = False  # pytest: the name is no test's
    nursery: Nursery
    install: LiteLLMInstall
    upstreams: Upstreams
    postgres: Postgres
    redis: RedisServer
    plain_redis: RedisServer
    replicas: tuple[Replica, ...]
    plain: Replica | None

    @property
    def first(self) -> Replica:
        """The replica to ask when it does not matter which."""
        return self.replicas[0]

    def alone(self) -> Replica:
        """The gateway without a database, ready; started when it is first asked for."""
        if self.plain is None:
            self.plain = _spawn_alone(self.nursery, self.install, self.plain_redis, self.upstreams)
            wait_ready(self.plain)
        return self.plain

    def start_replica(self, name: str) -> Replica:
        """One more process over the same database and Redis (or one again that was killed), ready."""
        config = database_config(self.redis.port, self.upstreams)
        replica = spawn_litellm(self.nursery, self.install, name, config, self.postgres.url)
        wait_ready(replica)
        return replica

    def on_all(self, shows: Callable[[Replica], bool], limit_s: float = 30.0) -> None:
        """Wait until every replica shows something, asked directly.

        Raises:
            StartError: it took longer than `limit_s` seconds.
        """
        deadline = time.monotonic() + limit_s
        while not all(shows(replica) for replica in self.replicas):
            if time.monotonic() > deadline:
                raise StartError(f"the replicas did not agree within {limit_s:.0f} s")
            time.sleep(0.2)

    def add_model(self, model: Model) -> None:
        """One more deployment in the database, until it is removed; the replicas have it a few seconds later."""
        _patiently(self.first, "/model/new", model.definition(self.upstreams))

    def remove_model(self, model: Model) -> None:
        """Take a deployment away that was added."""
        self.first.call("POST", "/model/delete", {"id": model.id})

    def add_key(self, key: Key) -> None:
        """One more application."""
        body = {"key": key.key, "key_alias": key.alias, "models": list(key.models), "max_budget": key.max_budget}
        self.first.call("POST", "/key/generate", {**body, "budget_duration": "1d"})

    def remove_key(self, key: Key) -> None:
        """Take an application away that was added."""
        self.first.call("POST", "/key/delete", {"keys": [key.key]})

    def settle(self) -> None:
        """Back to the state at the start: upstreams well, nothing blocked, aliased, reweighted or cooling down."""
        self.upstreams.heal()
        for redis in (self.redis, self.plain_redis):
            client = redis.client()
            for key in client.scan_iter("deployment:*:cooldown"):
                client.delete(key)
        shown = self.first.deployments()
        for model in MODELS:
            self._settle_model(model.id, {"weight": model.weight, "order": model.order}, shown[model.id])
        self.first.call("POST", "/config/update", {"router_settings": ROUTING | {"model_group_alias": {}}})
        self.on_all(_as_seeded)

    def _settle_model(self, model_id: str, params: dict[str, Any], shown: dict[str, Any]) -> None:
        if shown["model_info"].get("blocked"):
            self.first.call("POST", "/model/unblock", {"model_id": model_id})
        if any(shown["litellm_params"].get(name) != value for name, value in params.items()):
            self.first.call("PATCH", f"/model/{model_id}/update", {"litellm_params": params})

    def close(self) -> None:
        """Stop everything and delete its files."""
        self.nursery.close()


def start_testbed(*, replicas: int = 2, plain: bool = True, nursery: Nursery | None = None) -> Testbed:
    """Everything, as parallel as it goes: about 25 s on two cores once the downloads are cached.

    `nursery` is one in which more is started than this; it is closed, too, when this cannot start.

    Raises:
        Missing: something cannot be had on this machine.
        StartError: a server did not come up.
    """
    install = require()
    nursery = nursery or Nursery()
    try:
        return _start(nursery, install, replicas, plain)
    except BaseException:
        nursery.close()
        raise


def _start(nursery: Nursery, install: LiteLLMInstall, replicas: int, plain: bool) -> Testbed:
    with ThreadPoolExecutor() as pool:
        database_job = pool.submit(start_postgres, nursery, install.migrations)
        redis_job = pool.submit(start_redis, nursery)
        plain_redis_job = pool.submit(start_redis, nursery, "redis-plain")
        upstreams = start_upstreams(nursery)
        database, redis, plain_redis = database_job.result(), redis_job.result(), plain_redis_job.result()
    config = database_config(redis.port, upstreams)
    names = [f"litellm-{number}" for number in range(1, replicas + 1)]
    running = tuple(spawn_litellm(nursery, install, name, config, database.url) for name in names)
    alone = None
    if plain:
        alone = _spawn_alone(nursery, install, plain_redis, upstreams)
    testbed = Testbed(nursery, install, upstreams, database, redis, plain_redis, running, alone)
    for replica in (*running, *([alone] if alone else [])):
        wait_ready(replica)
    _seed(testbed)
    return testbed


def _spawn_alone(nursery: Nursery, install: LiteLLMInstall, redis: RedisServer, upstreams: Upstreams) -> Replica:
    return spawn_litellm(nursery, install, "litellm-plain", file_config(redis.port, upstreams))


def _seed(testbed: Testbed) -> None:
    """Put models, routing and keys into the database, and wait until every replica has them."""
    first = testbed.first
    for model in MODELS:
        testbed.add_model(model)
    first.call("POST", "/config/update", {"router_settings": ROUTING})
    for key in KEYS:
        testbed.add_key(key)
    first.call("POST", "/user/new", {"user_id": "viewer", "user_role": "proxy_admin_viewer", "auto_create_key": False})
    first.call("POST", "/key/generate", {"key": VIEWER_KEY, "user_id": "viewer", "key_alias": "viewer"})
    testbed.on_all(_as_seeded)


def _patiently(replica: Replica, path: str, body: dict[str, Any], limit_s: float = 30.0) -> None:
    """POST, again while it answers 404: on a busy machine LiteLLM is ready before all its routes are there."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            replica.call("POST", path, body)
            return
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND or time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def _as_seeded(replica: Replica) -> bool:
    shown = replica.deployments()
    if set(shown) != {model.id for model in (*MODELS, FILE_MODEL)}:
        return False
    for model in MODELS:
        params, info = shown[model.id]["litellm_params"], shown[model.id]["model_info"]
        if (params.get("weight"), params.get("order")) != (model.weight, model.order) or info.get("blocked"):
            return False
    settings = replica.router()
    return not settings.get("model_group_alias") and all(settings.get(name) == value for name, value in ROUTING.items())
