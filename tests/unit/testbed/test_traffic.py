"""The traffic generator cannot be pointed anywhere but at this machine, and stops by itself."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.real.stack.traffic import run_traffic


@pytest.fixture
async def gateway() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response({}, status=200 if body["model"] != "backup" else 429)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_it_sends_what_was_asked_for_and_counts_the_answers(gateway: str) -> None:
    tally = await run_traffic([gateway], per_s=50, seconds=0.4)
    assert tally.total() == 20
    assert tally.total("200") == 15
    assert tally.seen["backup", "429"] == 5


async def test_a_gateway_that_is_gone_is_counted_too() -> None:
    tally = await run_traffic(["http://127.0.0.1:9"], per_s=50, seconds=0.1)
    assert tally.total("error") == tally.total() == 5


@pytest.mark.parametrize("url", ["http://example.com", "http://10.0.0.1:4000", "http://127.0.0.1.example.com"])
async def test_only_this_machine_is_a_target(url: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        await run_traffic([url], per_s=1, seconds=1)


@pytest.mark.parametrize(("per_s", "seconds"), [(51, 1), (1, 1e6), (0, 1)])
async def test_it_is_bounded(per_s: float, seconds: float) -> None:
    with pytest.raises(ValueError, match="at most"):
        await run_traffic(["http://127.0.0.1:9"], per_s=per_s, seconds=seconds)
