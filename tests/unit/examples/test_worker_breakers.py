"""The README's adapter works: against a real page over real HTTP, and when there is no such page."""

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from console.domain.circuit import Observed
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import Adapter, AdapterContext
from console.domain.readings import Deployment
from console.engine.clock import ManualClock

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "worker_breakers.py"

PAGE = """\
# HELP smg_worker_cb_state Circuit breaker state per worker (0=closed, 1=open, 2=half_open)
# TYPE smg_worker_cb_state gauge
smg_worker_cb_state{worker="http://10.0.0.1:8000"} 0
smg_worker_cb_state{worker="http://10.0.0.2:8000"} 1
smg_worker_cb_state{worker="http://10.0.0.3:8000"} 2
"""


def load() -> Any:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("worker_breakers", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def router() -> AsyncIterator[str]:
    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=PAGE)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def adapter(url: str) -> Adapter:
    example = load()
    context = AdapterContext("router", ManualClock(), lambda reference: reference, 2.0, example.Options(url=url))
    made: Adapter = example.SPEC.create(context)
    return made


async def test_every_worker_is_a_deployment_with_its_breaker(router: str) -> None:
    one = adapter(router)
    seen = await one.observe()
    workers = [reading for reading in seen.readings if isinstance(reading, Deployment)]
    assert [worker.circuit.observed for worker in workers] == [Observed.CLOSED, Observed.OPEN, Observed.HALF_OPEN]
    assert workers[1].ref.name == "http://10.0.0.2:8000"
    assert [row.ok for row in await one.check()] == [True]
    await one.close()


async def test_a_router_that_is_gone_is_an_error_with_a_kind(router: str) -> None:
    one = adapter(router + "/elsewhere")
    with pytest.raises(BackendError) as caught:
        await one.observe()
    assert caught.value.kind is not ErrorKind.UNKNOWN_OUTCOME
    assert [row.ok for row in await one.check()] == [False]
    await one.close()


def test_the_readme_shows_the_example_as_it_is() -> None:
    readme = (EXAMPLE.parents[2] / "README.md").read_text()
    assert EXAMPLE.read_text() in readme
