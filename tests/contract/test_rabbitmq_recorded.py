"""What the RabbitMQ adapter makes of a real broker's answers: numbers, ages, dead letters, ways to read, bad ones."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import AgeQuality, DeadReason, PriorityDepth
from console.domain.verbs import Verb
from tests.contract.recorded_rabbitmq import METRICS, NODES, QUEUES, RecordedBench

LIST = "GET /api/queues/%2F"
PAGE = f"{LIST}?page_size=500"
COUNT = f"{LIST}?disable_stats=true&page_size=1"


def _answer(body: Any, status: int = 200, content_type: str = "application/json") -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"status": status, "content_type": content_type, "body": text}


def _refused(reason: str) -> dict[str, Any]:
    return _answer({"error": "not_authorised", "reason": reason}, 401)


async def test_every_queue_but_the_consoles_own_is_shown_with_its_numbers() -> None:
    bench = RecordedBench()
    queues = await bench.queues()
    assert set(queues) == set(QUEUES)
    orders = queues["orders"]
    assert (orders.depth, orders.in_flight, orders.consumers, orders.kind) == (208, 50, 1, "classic")
    assert orders.consumers_busy_ratio is not None
    assert 0 < orders.consumers_busy_ratio <= 1
    assert queues["mails"].kind == "quorum"
    assert queues["mails"].depth == 120


async def test_an_age_says_how_it_is_known() -> None:
    bench = RecordedBench()
    queues = await bench.queues()
    assert queues["orders"].age_quality is AgeQuality.EXACT  # its producer sets a timestamp
    assert queues["mails"].age_quality is AgeQuality.ESTIMATED  # a quorum queue does not tell
    assert queues["thumbnails"].age_quality is AgeQuality.ESTIMATED  # the head of a priority queue is not its oldest
    assert queues["reports"].age_quality is AgeQuality.UNKNOWN
    for name in ("orders", "mails", "thumbnails"):
        assert 10 < (queues[name].oldest_age_s or 0) < 120, name


async def test_priorities_are_told_where_the_server_tells_them() -> None:
    queues = await RecordedBench().queues()
    assert queues["thumbnails"].priorities == (PriorityDepth(4, 10), PriorityDepth(1, 40))
    assert queues["orders"].priorities == ()


async def test_dead_letters_are_found_through_bindings_and_through_the_default_exchange() -> None:
    queues = await RecordedBench().queues()
    assert (queues["orders"].dead_letter_queue, queues["orders"].dead_letters) == ("orders.dead", 12)
    assert (queues["mails"].dead_letter_queue, queues["mails"].dead_letters) == ("mails.dead", 0)
    assert queues["batch"].dead_letter_queue == ""  # by policy, and with keys that could go to either queue


async def test_why_letters_died_is_read_only_while_somebody_looks() -> None:
    bench = RecordedBench()
    await bench.queues()
    assert not any("/get" in key for key in bench.replay.asked)
    bench.look_at("orders", "mails")
    queues = await bench.queues()
    assert queues["orders"].dead_reasons == queues["orders.dead"].dead_reasons == (DeadReason("rejected", 10),)
    for _ in range(5):
        await bench.settle()
        await bench.queues()
    asked = [key for key in bench.replay.asked if "/get" in key]
    assert asked == ["POST /api/queues/%2F/orders.dead/get"]  # once a minute, and never an empty or quorum one
    await bench.clock.advance(60)
    await bench.queues()
    assert len([key for key in bench.replay.asked if "/get" in key]) == 2


async def test_nobody_looks_into_dead_letters_where_the_config_forbids_it() -> None:
    bench = RecordedBench(peek=False)
    bench.look_at("orders")
    assert (await bench.queues())["orders"].dead_reasons == ()
    assert not any("/get" in key for key in bench.replay.asked)


@pytest.mark.parametrize(
    "change", [{"type": "quorum"}, {"consumers": 1}, {"arguments": {"x-expires": 60000}}, {"messages_ready": 0}]
)
async def test_a_dead_letter_queue_that_would_be_harmed_is_not_looked_into(change: dict[str, Any]) -> None:
    bench = RecordedBench()
    _change_row(bench, "orders.dead", change)
    bench.look_at("orders")
    await bench.queues()
    assert not any("/get" in key for key in bench.replay.asked)


async def test_what_is_set_aside_and_what_is_paused_is_what_the_broker_says() -> None:
    bench = RecordedBench()
    queues = await bench.queues()
    assert (queues["reports"].parked, queues["reports"].paused) == (25, False)
    assert (queues["batch"].parked, queues["batch"].paused) == (15, True)
    assert queues["reports"].ability(Verb.REPLAY).able
    assert not queues["batch"].ability(Verb.REPLAY).able  # what a pause holds back comes with resume
    assert queues["batch"].ability(Verb.RESUME).able
    bench.replay.answers["GET /api/shovels"] = _answer([])
    assert not (await bench.queues())["batch"].paused


async def test_a_shovel_that_was_asked_for_and_does_not_run_is_said() -> None:
    bench = RecordedBench()
    await bench.queues()
    bench.replay.answers["GET /api/shovels"] = _answer([])
    await bench.clock.advance(31)
    observation = await bench.adapter.observe()
    assert "the shovel switchgear.pause.batch was asked for and does not run" in observation.notes


async def test_messages_set_aside_of_a_queue_that_is_gone_are_said() -> None:
    bench = RecordedBench()
    _change_rows(bench, lambda rows: [row for row in rows if row["name"] != "reports"])
    observation = await bench.adapter.observe()
    assert "25 messages are parked of reports, which is not there any more" in observation.notes


async def test_a_stream_has_no_backlog() -> None:
    bench = RecordedBench()
    events = (await bench.queues())["events"]
    assert (events.depth, events.oldest_age_s, events.kind) == (0, None, "stream")
    assert any(note.startswith("streams: 1") for note in (await bench.adapter.observe()).notes)


async def test_without_the_shovel_plugin_nothing_can_be_moved_and_all_is_seen() -> None:
    bench = RecordedBench(amqp="amqp://one.test:5672")
    bench.replay.answers["GET /api/shovels"] = _answer("", 406, "")  # what 3.10 says to a path that it does not know
    orders = (await bench.queues())["orders"]
    assert orders.depth == 208
    for verb in (Verb.PAUSE, Verb.PARK, Verb.FINISH, Verb.REQUEUE, Verb.ISOLATE):
        assert "rabbitmq_shovel" in orders.ability(verb).reason
    assert "rabbitmq_shovel" not in orders.ability(Verb.PURGE).reason, "a purge needs none"
    assert any("rabbitmq_shovel" in note for note in (await bench.adapter.observe()).notes)


async def test_a_user_without_the_tag_policymaker_may_change_nothing() -> None:
    bench = RecordedBench()
    bench.replay.answers["GET /api/whoami"] = _answer({"name": "viewer", "tags": ["monitoring"]})
    orders = (await bench.queues())["orders"]
    assert "policymaker" in orders.ability(Verb.PARK).reason
    rows = await bench.adapter.check()
    assert any(row.what == "user" and row.ok is False and "policymaker" in row.words for row in rows)


async def test_a_user_without_the_tag_monitoring_is_told_so() -> None:
    bench = RecordedBench()
    bench.replay.answers["GET /api/whoami"] = _answer({"name": "viewer", "tags": "management"})  # as 3.7 writes it
    bench.replay.answers["GET /api/shovels"] = _refused("Not monitor user")
    bench.replay.answers["GET /api/nodes"] = _refused("Not monitor user")
    observation = await bench.adapter.observe()
    assert len(observation.readings) == len(QUEUES)
    assert any("monitoring" in note for note in observation.notes)


async def test_a_wrong_password_is_an_error_with_its_way_out() -> None:
    bench = RecordedBench()
    for key in list(bench.replay.answers):
        bench.replay.answers[key] = _refused("Login failed")
    with pytest.raises(BackendError) as caught:
        await bench.adapter.observe()
    assert caught.value.kind is ErrorKind.UNAUTHORISED
    assert all(row.ok is not True for row in await bench.adapter.check())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_answer("<html>sign in</html>", content_type="text/html"), ErrorKind.MALFORMED),
        (_answer('{"items": [{"name": "or'), ErrorKind.MALFORMED),
        (_answer({"items": [{"messages_ready": 1}], "total_count": 1}), ErrorKind.MALFORMED),
        (_answer({"items": [{"name": "x", "messages_ready": "many"}], "total_count": 1}), ErrorKind.MALFORMED),
        (_answer("[" * 100_000), ErrorKind.MALFORMED),
        (_answer(json.dumps({"items": [], "total_count": 0, "x": "y" * 10_000_000})), ErrorKind.MALFORMED),
        (_answer({"error": "internal"}, 500), ErrorKind.FAILED),
    ],
)
async def test_an_answer_that_is_none_is_an_error_and_the_next_look_is_well_again(
    answer: dict[str, Any], kind: ErrorKind
) -> None:
    bench = RecordedBench()
    well = bench.replay.answers[PAGE]
    bench.replay.answers[PAGE] = answer
    with pytest.raises(BackendError) as caught:
        await bench.adapter.observe()
    assert caught.value.kind is kind
    bench.replay.answers[PAGE] = well
    assert len(await bench.queues()) == len(QUEUES)


async def test_numbers_that_no_queue_has_do_no_harm() -> None:
    bench = RecordedBench()
    odd = {"messages_ready": -5, "consumer_utilisation": "", "head_message_timestamp": 1e300, "consumers": 3}
    _change_row(bench, "orders", odd)
    orders = (await bench.queues())["orders"]
    assert (orders.depth, orders.consumers_busy_ratio, orders.oldest_age_s) == (0, None, None)


async def test_a_queue_that_says_nothing_of_its_messages_yet_is_not_shown_as_empty() -> None:
    bench = RecordedBench()
    _change_row(bench, "orders", {"messages_ready": None})
    assert "orders" not in await bench.queues()


async def test_a_queue_that_is_down_keeps_its_last_numbers_and_cannot_be_acted_on() -> None:
    bench = RecordedBench()
    await bench.queues()
    _change_row(bench, "mails", {"messages_ready": None, "state": "down"})
    mails = (await bench.queues())["mails"]
    assert mails.depth == 120
    assert mails.ability(Verb.PARK).reason == "the queue is down"


async def test_a_node_that_is_down_is_said_and_the_other_one_is_asked() -> None:
    bench = RecordedBench()
    await bench.lose("one.test:15672")
    observation = await bench.adapter.observe()
    assert len(observation.readings) == len(QUEUES)
    assert [(one.name, one.up) for one in observation.replicas] == [
        ("one.test:15672", False),
        ("two.test:15672", True),
    ]
    bench.replay.down.clear()
    assert all(one.up for one in (await bench.adapter.observe()).replicas)


async def test_beyond_two_thousand_queues_numbers_come_from_the_metrics_and_details_for_a_few() -> None:
    bench = RecordedBench()
    bench.replay.answers[COUNT] = _answer({"items": [], "total_count": 10_000})
    page = bench.replay.answers["GET /metrics/detailed"]
    first = _metric("orders", 208)
    assert first in page["body"]
    many = "".join(_metric(f"q{number}", number % 7) for number in range(3000))
    bench.replay.answers["GET /metrics/detailed"] = page | {"body": page["body"].replace(first, first + many)}
    bench.replay.answers[f"{LIST}?disable_stats=true"] = _answer([])
    bench.look_at("orders")
    queues = await bench.queues()
    assert len(queues) == 3000 + len(QUEUES)
    assert queues["q6"].depth == 6
    assert queues["q6"].in_per_min is None  # nobody looks at it
    assert queues["orders"].in_per_min is not None
    assert queues["orders"].age_quality is AgeQuality.EXACT
    assert PAGE not in bench.replay.asked
    assert any(note.startswith("3,010 queues") for note in (await bench.adapter.observe()).notes)


async def test_without_metrics_so_many_queues_are_read_by_their_totals_and_it_is_said() -> None:
    bench = RecordedBench(prometheus=[])
    bench.replay.answers[COUNT] = _answer({"items": [], "total_count": 3000})
    rows = [{"name": f"q{number}", "messages_ready": number, "arguments": {}} for number in range(3000)]
    bench.replay.answers[f"{LIST}?disable_stats=true"] = _answer(rows)
    queues = await bench.queues()
    assert queues["q2999"].depth == 2999
    assert any("`prometheus` is not configured" in note for note in (await bench.adapter.observe()).notes)
    details = [key for key in bench.replay.asked if key.startswith(f"{LIST}/q")]
    assert f"{LIST}/q2999" in details
    assert len(set(details)) == 20


async def test_metrics_that_cannot_be_read_are_a_problem_and_the_totals_take_their_place() -> None:
    bench = RecordedBench()
    bench.replay.answers[COUNT] = _answer({"items": [], "total_count": 3000})
    bench.replay.answers["GET /metrics/detailed"] = _answer("<html>", content_type="text/html")
    bench.replay.answers[f"{LIST}?disable_stats=true"] = _answer(
        [{"name": f"q{n}", "messages_ready": 1} for n in range(3000)]
    )
    observation = await bench.adapter.observe()
    assert len(observation.readings) == 3000
    assert any(METRICS in problem.where for problem in observation.problems)


async def test_two_virtual_hosts_are_both_read_and_one_that_is_not_there_is_a_problem() -> None:
    bench = RecordedBench(vhosts=["/", "gone"])
    observation = await bench.adapter.observe()
    names = {reading.ref.name for reading in observation.readings}
    assert names == {f"%2F/{name}" for name in QUEUES}
    assert [problem.kind for problem in observation.problems] == [ErrorKind.UNSUPPORTED]


async def test_a_look_asks_little() -> None:
    bench = RecordedBench()
    await bench.adapter.observe()
    await bench.settle()
    before = len(bench.replay.asked)
    observation = await bench.adapter.observe()
    asked = bench.replay.asked[before:]
    assert sorted(asked) == sorted([PAGE, "GET /api/shovels", "GET /api/whoami", f"{LIST}/thumbnails"])
    assert observation.requests == len(asked)
    assert len(NODES) == 2  # `whoami` is how the other node is looked after


def _change_row(bench: RecordedBench, name: str, change: dict[str, Any]) -> None:
    _change_rows(bench, lambda rows: [row | change if row["name"] == name else row for row in rows])
    one = f"{LIST}/{name}"
    row = json.loads(bench.replay.answers[one]["body"]) | change
    bench.replay.answers[one] = _answer(row)


def _change_rows(bench: RecordedBench, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    page = json.loads(bench.replay.answers[PAGE]["body"])
    bench.replay.answers[PAGE] = _answer(page | {"items": change(page["items"])})


def _metric(queue: str, value: int) -> str:
    return f'rabbitmq_detailed_queue_messages_ready{{vhost="/",queue="{queue}"}} {value}\n'
