"""The pure parts of the LiteLLM adapter: metrics and their traps, fleets, cooldowns, money, options."""

import math
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import ValidationError

from adapters.http import Credential, Server
from adapters.litellm import LiteLLMOptions
from adapters.litellm.abilities import API, REDIS, Powers
from adapters.litellm.cooldowns import FAR, Cooldown, Cooldowns, parse_cooldown
from adapters.litellm.fleet import Fleet, ModelPage, parse_fleet
from adapters.litellm.flow import Sorter, latency, route_traffic
from adapters.litellm.metrics import Key, ReplicaMetrics
from adapters.litellm.money import exhausted_at, priced
from adapters.litellm.readings import Scene, deployments
from adapters.litellm.replica import Replica, replica_names
from adapters.litellm.spend import Booked, Budget, read_books
from adapters.litellm.standing import ADMIN, VIEWER, RouterSettings, Standing, explain, read_settings
from adapters.prices import list_price
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Headroom
from console.engine.clock import SystemClock
from tests.unit.adapters.misbehaving import misbehaving


def _page(started: float, *lines: str) -> bytes:
    return "\n".join((f"process_start_time_seconds {started}", *lines, "")).encode()


def _ok(count: float, model_id: str = "a") -> str:
    return f'litellm_deployment_success_responses_total{{model_id="{model_id}",requested_model="chat"}} {count}'


def test_a_restart_is_a_mark_and_not_a_burst() -> None:
    metrics = ReplicaMetrics()
    metrics.read(_page(1.0, _ok(100)))
    assert metrics.read(_page(1.0, _ok(103))).grown == {Key("ok", "a"): 3, Key("attempts", "chat"): 3}
    assert metrics.read(_page(2.0, _ok(5000))).grown == {}
    assert metrics.read(_page(2.0, _ok(5001))).grown[Key("ok", "a")] == 1


def test_workers_that_answer_in_turn_are_counted_each_for_itself() -> None:
    metrics = ReplicaMetrics()
    for worker, count in ((1.0, 100), (2.0, 7)):
        assert not metrics.read(_page(worker, _ok(count))).counts
    assert metrics.read(_page(1.0, _ok(101))).grown[Key("ok", "a")] == 1
    assert metrics.read(_page(2.0, _ok(9))).grown[Key("ok", "a")] == 2


def test_series_of_nobody_and_management_calls_are_not_traffic() -> None:
    asked = 'litellm_proxy_total_requests_metric_total{model_id="None",requested_model="chat",route="%s"} %d'
    lines = [_ok(1, ""), _ok(1, "None"), asked % ("/fallback/chat", 1), asked % ("/v1/chat/completions", 1)]
    metrics = ReplicaMetrics()
    metrics.read(_page(1.0, *lines))
    grown = metrics.read(_page(1.0, *(line.replace("} 1", "} 3") for line in lines))).grown
    assert {key for key in grown if key.what != "attempts"} == {Key("asked", "chat")}


@pytest.mark.parametrize("edge", ["abc", "", "NaN", "-1"])
def test_a_bucket_without_an_edge_is_passed_over_and_the_page_is_read(edge: str) -> None:
    bucket = f'litellm_llm_api_latency_metric_bucket{{model_id="a",le="{edge}"}} %d'
    metrics = ReplicaMetrics()
    metrics.read(_page(1.0, _ok(1), bucket % 1))
    assert metrics.read(_page(1.0, _ok(3), bucket % 3)).grown == {Key("ok", "a"): 2, Key("attempts", "chat"): 2}


def test_the_state_gauge_that_lies_is_not_read() -> None:
    line = 'litellm_deployment_state{litellm_model_name="chat",model_id="a"} 2'
    assert ReplicaMetrics().read(_page(1.0, line)).gauges == {}


def test_ways_of_failing_have_short_names() -> None:
    line = 'litellm_deployment_failure_responses_total{exception_class="%s",exception_status="%s",model_id="a"} %d'
    cases = {("Openai.RateLimitError", "429"): "429", ("Openai.Timeout", "408"): "timeout", ("X.Odd", "None"): "Odd"}
    for (name, status), expected in cases.items():
        metrics = ReplicaMetrics()
        metrics.read(_page(1.0))
        metrics.read(_page(1.0, line % (name, status, 1)))
        assert metrics.read(_page(1.0, line % (name, status, 2))).grown == {Key("fail", "a", expected): 1}


def _fleet(*rows: dict[str, Any]) -> Fleet:
    page = {
        "data": [
            {
                "model_name": row["group"],
                "litellm_params": {"model": "openai/gpt-4o", **row.get("params", {})},
                "model_info": {"id": row["id"], "db_model": True, **row.get("info", {})},
            }
            for row in rows
        ]
    }
    return parse_fleet(msgspec.convert(page, ModelPage), {"*groq*": "groq"})


def test_an_alias_is_seen_in_the_rows_that_come_again_under_its_name() -> None:
    fleet = _fleet({"group": "chat", "id": "a"}, {"group": "spare", "id": "b"}, {"group": "chat", "id": "b"})
    assert fleet.groups == {"chat": ("a",), "spare": ("b",)}
    assert fleet.aliases == {"chat": "spare"}


def test_odd_values_are_no_numbers_and_credentials_are_not_shown() -> None:
    params = {"weight": "heavy", "order": True, "api_base": "https://user:secret@groq.test/v1?key=k"}
    fleet = _fleet({"group": "chat", "id": "a", "params": params})
    model = fleet.models["a"]
    assert (model.weight, model.order) == (None, None)
    assert model.endpoint == "https://groq.test/v1"
    assert model.provider == "groq"


def test_cooldowns_are_read_in_both_spellings() -> None:
    own = parse_cooldown(b'{"exception_received":"tripped by an operator","timestamp":100.0,"cooldown_time":60}')
    assert own == Cooldown(160.0, "tripped by an operator", ours=True)
    theirs = parse_cooldown(
        b"{'exception_received': 'Boom: ****', 'status_code': '500', 'timestamp': 100.5, 'cooldown_time': 20}"
    )
    assert theirs == Cooldown(120.5, "500 Boom:", ours=False)
    for odd in (b"", b"{", b"[1]", b"__import__('os')", b"{'timestamp': 'x'}", b"(" * 5000, b"\xff"):
        assert parse_cooldown(odd) is None


@pytest.mark.parametrize(
    "value",
    [
        b"[" * 100_000,
        b"{[]: 1}",
        b'{"timestamp": 1' + b"0" * 400 + b', "cooldown_time": 5}',
        b'{"timestamp": 1e308, "cooldown_time": 1e308}',
        b'{"timestamp": -1e308, "cooldown_time": 5}',
        b"{'timestamp': 1e999, 'cooldown_time': 5}",
    ],
)
def test_what_anybody_may_put_into_redis_is_read_or_passed_over(value: bytes) -> None:
    cooldown = parse_cooldown(value)
    assert cooldown is None or 0 <= cooldown.until <= FAR


def test_a_copy_of_a_long_cooldown_lasts_longer() -> None:
    assert Cooldown(1000.0, "", ours=True).copy_lasts_until(950.0) == 1000.0
    assert Cooldown(1500.0, "", ours=True).copy_lasts_until(1000.0) == 1060.0
    assert Cooldown(9000.0, "", ours=True).copy_lasts_until(1000.0) == 1600.0


async def test_a_redis_that_is_not_there_is_said_without_its_password() -> None:
    cooldowns = Cooldowns("env:REDIS", lambda reference: "redis://:geheim@127.0.0.1:1/0", 1.0)
    with pytest.raises(BackendError) as caught:
        await cooldowns.read(["a"])
    await cooldowns.close()
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert "geheim" not in str(caught.value)


def _powers(standing: Standing, redis: str = "no Redis is configured", owner: str = "db") -> Powers:
    return Powers(standing, RouterSettings({}, owner, {}, None), redis)


def test_the_way_of_a_trip_and_why_there_is_none() -> None:
    fleet = _fleet({"group": "chat", "id": "a"}, {"group": "chat", "id": "b", "info": {"db_model": False}})
    in_database, in_config = fleet.models["a"], fleet.models["b"]
    admin = Standing(database=True, role=ADMIN)
    assert _powers(admin).trip_way(in_database) == (API, "")
    assert _powers(admin, "ok").trip_way(in_config) == (REDIS, "")
    assert _powers(Standing(database=False, role=ADMIN), "ok").trip_way(in_database) == (REDIS, "")
    assert "config file" in _powers(admin).trip_way(in_config)[1]
    assert "proxy_admin_viewer" in _powers(Standing(database=True, role=VIEWER)).trip_way(in_database)[1]


def test_a_weight_that_could_not_be_taken_back_is_not_set() -> None:
    admin = _powers(Standing(database=True, role=ADMIN))
    bare = _fleet({"group": "chat", "id": "a"}, {"group": "chat", "id": "b"})
    assert "for good" in admin.weight(bare.models["a"], bare)
    mixed = _fleet({"group": "chat", "id": "a"}, {"group": "chat", "id": "b", "params": {"weight": 3}})
    assert admin.weight(mixed.models["a"], mixed) == ""


def test_aliases_of_the_config_file_are_left_alone() -> None:
    assert "config file" in _powers(Standing(database=True, role=ADMIN), owner="config").alias()
    assert _powers(Standing(database=True, role=ADMIN)).alias() == ""


@pytest.mark.parametrize("seconds", ["1e308", "-5", "1" + "0" * 400])
async def test_a_cooldown_time_that_cannot_be_is_not_believed(seconds: str) -> None:
    async with misbehaving() as server:
        server.body = f'{{"current_values": {{"cooldown_time": {seconds}}}}}'.encode()
        reader = Server(server.url, timeout_s=5.0)
        assert (await read_settings(reader)).cooldown_s is None
        await reader.close()


def test_an_order_that_no_console_could_read_is_none() -> None:
    row = {"model_name": "a", "litellm_params": {"model": "b", "order": 2**70}, "model_info": {"id": "c"}}
    assert parse_fleet(msgspec.convert({"data": [row]}, ModelPage), {}).models["c"].order is None


def test_what_litellm_means_by_its_statuses() -> None:
    assert (explain(401, "Only proxy admin can be used to …") or ("",))[0] is ErrorKind.FORBIDDEN
    assert (explain(400, "No connected db.") or ("",))[0] is ErrorKind.UNAUTHORISED
    assert (explain(500, "DB not connected. This endpoint needs …") or ("",))[0] is ErrorKind.UNSUPPORTED
    assert (explain(400, "Cannot edit config-based model. …") or ("",))[0] is ErrorKind.UNSUPPORTED
    assert explain(500, "boom") is None


def test_tokens_times_price() -> None:
    assert list_price("openai/gpt-4o", "", 1e6, 1e6) == pytest.approx(12.5)
    assert list_price("gpt-4o", "openai", 1e6, 0, cached_in=1e6) == pytest.approx(1.25)
    assert list_price("openai/a-model-of-nobody", "", 1, 1) is None
    books = {"openai/gpt-4o": Booked(tokens_in=1e6), "mine": Booked(tokens_in=10, tokens_out=10)}
    assert priced(books, {"mine": (0.1, 0.2)}) == pytest.approx(2.5 + 3.0)
    assert priced(books, {}) is None
    assert priced({"mine": Booked()}, {}) == 0


def test_when_a_budget_ends() -> None:
    budget = Budget(limit_usd=10.0, used_usd=4.0, period="1d", resets_at=3600.0 * 10)
    assert exhausted_at(budget, 2.0, 0.0) == 3 * 3600.0
    assert exhausted_at(budget, 0.1, 0.0) is None
    assert exhausted_at(budget, 0.0, 0.0) is None
    assert exhausted_at(None, 2.0, 0.0) is None


@pytest.mark.parametrize(
    "change",
    [
        {"replicas": []},
        {"replicas": ["ftp://x"]},
        {"replicas": ["http://user:pass@host"]},
        {"key": "sk-1234"},
        {"redis": "redis://:secret@host"},
        {"redis": "host:6379"},
        {"window": 1},
        {"unknown": 1},
    ],
)
def test_options_that_are_wrong_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        LiteLLMOptions(**{"replicas": ["http://host:4000"], "key": "env:KEY", **change})
    assert "secret@" not in str(caught.value.errors(include_input=False))


def test_replicas_have_short_names_that_differ() -> None:
    assert replica_names(["http://a:1", "http://b:1/x"]) == ["a:1", "b:1"]
    assert replica_names(["http://a/x", "http://a/y"]) == ["a/x", "a/y"]
    assert replica_names(["http://a", "http://a"]) == ["a#1", "a#2"]


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ('litellm_redis_circuit_breaker_state{state="closed"} 1.0', ""),
        ('litellm_redis_circuit_breaker_state{state="open"} 1.0', "has lost its Redis"),
        ("", "has no Redis"),
    ],
)
async def test_a_replica_without_redis_is_known_by_its_metrics(line: str, trouble: str) -> None:
    async with misbehaving() as server:
        server.body, server.content_type = _page(1.0, line), "text/plain; version=0.0.4"
        key = Credential("env:KEY", lambda reference: "sk-x")
        replica = Replica("one", server.url, timeout_s=2.0, reader=key, actor=key)
        await replica.look(SystemClock(), 5.0, {})
        await replica.close()
    assert replica.redis_trouble == trouble


async def test_books_are_read_with_budgets_and_without_moments_that_cannot_be() -> None:
    answers = {
        "/user/daily/activity/aggregated": {
            "results": [
                {
                    "metrics": {"spend": 0.32, "prompt_tokens": 80, "completion_tokens": 120},
                    "breakdown": {
                        "providers": {"openai": {"metrics": {"spend": 0.32}}, "unknown": {"metrics": {"spend": 0}}},
                        "api_keys": {
                            "aa": {"metrics": {"spend": 0.3}, "metadata": {"key_alias": "shop"}},
                            "wrong": {"metrics": {"spend": 0, "failed_requests": 4}},
                        },
                    },
                }
            ]
        },
        "/key/list": {
            "keys": [{"token": "bb", "key_alias": "shop", "max_budget": 2, "blocked": True}],
            "total_pages": 1,
        },
        "/provider/budgets": {
            "providers": {
                "openai": {"budget_limit": 1.0, "time_period": "1d", "spend": 0.32, "budget_reset_at": "2083-10-16"}
            }
        },
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answers[request.url.path])

    server = Server("http://x.test", timeout_s=1.0, transport=httpx.MockTransport(answer))
    books = await read_books(server, 1_795_000_000.0, provider_budgets=True)
    await server.close()
    assert books.provider_budgets == {"openai": Budget(1.0, 0.32, "1d", None)}
    assert list(books.providers) == ["openai"]
    assert {key.name: (key.blocked, key.booked.usd) for key in books.keys.values()} == {
        "shop": (False, 0.3),
        "shop bb": (True, 0.0),
    }


def test_headroom_is_the_scarcer_of_the_providers_word_and_the_own_limit() -> None:
    fleet = _fleet(
        {"group": "chat", "id": "busy", "params": {"rpm": 100}},
        {"group": "chat", "id": "idle", "params": {"rpm": 100}},
        {"group": "chat", "id": "free"},
    )
    flows = Sorter().sort({Key("ok", "busy"): 15.0, Key("ok", "free"): 1.0}, 30.0, 30.0)
    gauges = {("requests left", "busy"): 50.0, ("requests left", "idle"): 0.0, ("tokens left", "free"): math.inf}
    powers = _powers(Standing(database=True, role=ADMIN))
    scene = Scene("gateway", 1.0, (), fleet, flows, gauges, None, powers, 60.0)
    found = {reading.ref.name: reading.headroom for reading in deployments(scene)}
    assert found["busy"] == Headroom(requests_left=50.0, requests_limit=100.0)
    assert found["idle"] == Headroom(requests_left=100.0, requests_limit=100.0)
    assert found["free"] is None


def test_seconds_for_a_token_are_those_after_the_first() -> None:
    def pages(calls: int) -> bytes:
        labels = '{model_id="a",requested_model="chat"}'
        return _page(
            1.0,
            f"litellm_output_tokens_metric_total{labels} {1_000 * calls}",
            f"litellm_llm_api_latency_metric_sum{labels} {30 * calls}",
            f"litellm_llm_api_time_to_first_token_metric_sum{labels} {10 * calls}",
            f"litellm_deployment_latency_per_output_token_sum{labels} {0.01 * calls}",
        )

    metrics = ReplicaMetrics()
    metrics.read(pages(7))
    flows = Sorter().sort(metrics.read(pages(9)).grown, 30.0, 30.0)
    assert latency(flows, flows.deployments["a"]).s_per_token_p50 == 0.02
    silent = Sorter().sort({Key("s in all", "a"): 3.0}, 30.0, 30.0)  # vectors have no tokens out
    assert latency(silent, silent.deployments["a"]).s_per_token_p50 is None


@pytest.mark.parametrize(
    ("params", "region"),
    [
        ({"region_name": "eu", "aws_region_name": "us-east-1"}, "eu"),
        ({"aws_region_name": "us-east-1"}, "us-east-1"),
        ({"vertex_location": "europe-west4"}, "europe-west4"),
        ({"region_name": 7}, ""),
        ({}, ""),
    ],
)
def test_a_region_is_the_one_that_the_config_says(params: dict[str, Any], region: str) -> None:
    assert _fleet({"group": "chat", "id": "a", "params": params}).models["a"].region == region


def test_demand_that_was_not_counted_is_not_zero() -> None:
    flows = Sorter().sort({Key("attempts", "chat"): 30.0, Key("asked", "other"): 10.0}, 30.0, 30.0)
    unknown, counted = (route_traffic(flows, flows.routes[name]) for name in ("chat", "other"))
    assert (unknown.requests_per_min, unknown.attempts_per_request) == (60.0, None)
    assert counted.requests_per_min == 20.0
