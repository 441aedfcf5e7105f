"""The parts of RabbitMQ's acting half that need no broker: counts, rates, what is a retry, files, steps as data."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from adapters.pace import Pace
from adapters.rabbitmq import orders
from adapters.rabbitmq.exporting import Export
from adapters.rabbitmq.exports import Exported, ExportFile, count_lines, read_export
from adapters.rabbitmq.finishing import Wait
from adapters.rabbitmq.moving import BATCH, Counted, Move
from adapters.rabbitmq.names import Place
from adapters.rabbitmq.shovels import DIVERT_PREFETCH, MOVE_PREFETCH, PRIORITY, batch, divert, twice
from adapters.rabbitmq.sorting import Sort, Which, wanted
from console.domain.actions import Step
from console.engine.clock import ManualClock

ORDERS = Place("/", "orders")


def park(total: int = 1000, base: int = 50) -> Move:
    return Move("/", "orders", "switchgear.parked.orders", "switchgear.park.orders", total, base)


def replay(total: int, base: int, per_s: float | None = 200.0) -> Move:
    return Move("/", "parked", "orders", "switchgear.replay.orders", total, base, Counted.SOURCE, per_s)


@pytest.mark.parametrize(
    ("ready", "arrived", "left", "progress"),
    [
        (1000, 50, 1000, (0, 1000)),
        (600, 450, 600, (400, 1000)),
        (300, 450, 300, (400, 1000)),  # a worker took the rest
        (0, 700, 0, (650, 1000)),  # nothing waits any more: it is over, and says how many were parked
        (900, 1050, 0, (1000, 1000)),  # later messages are not parked
        (0, 1150, 0, (1000, 1000)),  # doubled by a crash
    ],
)
def test_a_park_counts_what_has_arrived(ready: int, arrived: int, left: int, progress: tuple[int, int]) -> None:
    assert park().left(ready, arrived) == left
    assert park().progress(ready, arrived) == progress


@pytest.mark.parametrize(
    ("ready", "left", "progress"),
    [(1000, 1000, (0, 1000)), (400, 400, (600, 1000)), (0, 0, (1000, 1000)), (1300, 1300, (0, 1300))],
)
def test_a_replay_empties_its_queue_of_what_came_later_too(ready: int, left: int, progress: tuple[int, int]) -> None:
    assert replay(1000, 1000).left(ready, 7) == left
    assert replay(1000, 1000).progress(ready, 7) == progress


def test_the_way_back_of_a_park_leaves_what_was_parked_before() -> None:
    back = replay(total=1000, base=1050)
    assert back.left(1050, 0) == 1000
    assert back.left(50, 0) == 0


def test_dead_letters_that_die_again_are_not_given_back_for_ever() -> None:
    move = Move("/", "dead", "orders", "switchgear.requeue.orders", 500, 500, Counted.BATCHES, 100.0)
    assert move.left(500, 0, 0) == 500
    assert move.left(500, 0, 400) == 100
    assert move.left(500, 0, 500) == 0
    assert move.progress(500, 0, 400) == (400, 500)


def test_a_rate_is_the_size_of_a_batch_a_second() -> None:
    assert park().batch == BATCH
    assert replay(9, 9, per_s=200).batch == 200
    assert replay(9, 9, per_s=0.1).batch == 1
    assert replay(9, 9, per_s=1e8).batch == BATCH


async def test_the_pace_is_that_of_the_last_seconds_and_tells_what_is_left() -> None:
    clock = ManualClock(1000.0)
    pace = Pace(clock)
    assert pace.progress(0, 1000).per_s is None
    for done in (100, 200, 300, 400, 500, 600):
        await clock.advance(1.0)
        progress = pace.progress(done, 1000, "workers took messages too")
    assert progress.per_s == pytest.approx(100, rel=0.05)
    assert progress.left_s == pytest.approx(4, rel=0.05)
    for _ in range(8):
        await clock.advance(1.0)
        progress = pace.progress(600, 1000)
    assert (progress.per_s, progress.left_s) == (None, None)


def test_shovels_go_before_workers_and_confirm_each_message() -> None:
    for made in (divert(ORDERS, "held"), batch(ORDERS, "held", 7)):
        assert made["src-consumer-args"] == {"x-priority": PRIORITY}
        assert made["ack-mode"] == "on-confirm"
        assert made["dest-add-forward-headers"] is False
    assert divert(ORDERS, "held")["src-delete-after"] == "never"
    assert batch(ORDERS, "held", 7)["src-delete-after"] == 7
    assert (divert(ORDERS, "h")["src-prefetch-count"], batch(ORDERS, "h", 7)["src-prefetch-count"]) == (
        DIVERT_PREFETCH, MOVE_PREFETCH
    )  # fmt: skip
    assert divert(Place("a/b", "orders"), "held")["src-uri"] == "amqp:///a%2Fb"


def test_how_many_may_come_twice_is_said_for_each_kind_of_queue() -> None:
    assert "up to 100 " in twice("quorum")
    assert "up to 32,768 " in twice("classic")


@pytest.mark.parametrize(
    ("headers", "retry"),
    [
        (None, False),
        ({}, False),
        ({"retries": 0}, False),
        ({"retries": 1}, True),
        ({"retries": True}, False),
        ({"retries": "3"}, False),
        ({"x-attempt": 1}, False),
        ({"x-attempt": 2}, True),
        ({"x-death": [{"queue": "orders", "count": 1}]}, True),
        ({"x-death": []}, False),
    ],
)
def test_what_counts_as_a_retry(headers: dict[str, object] | None, retry: bool) -> None:
    assert wanted(Sort(ORDERS, "held", Which.RETRIES, "", 10, 0), headers) is retry


@pytest.mark.parametrize(
    ("headers", "mine"),
    [
        ({"x-first-death-queue": "orders"}, True),
        ({"x-first-death-queue": "mails"}, False),
        ({"x-death": [{"queue": "mails"}, {"queue": "orders"}]}, True),
        ({"x-death": "orders"}, False),
        (None, False),
    ],
)
def test_whose_dead_letter_it_is(headers: dict[str, object] | None, mine: bool) -> None:
    assert wanted(Sort(ORDERS, "orders", Which.DEATHS, "orders", 10, 0), headers) is mine


def test_what_is_on_file_is_read_back_as_it_was(tmp_path: Path) -> None:
    headers = {"a": 1, "b": b"\x00\xff", "at": datetime(2026, 1, 2, tzinfo=UTC), "d": Decimal("1.5"), "l": [b"x", None]}
    message = Exported(exchange="work", routing_key="orders", body=b"\x00\n\xff", properties={"headers": headers})
    from adapters.rabbitmq.exports import _plain

    file = ExportFile(tmp_path / "new" / "orders.jsonl")
    assert file.open() == 0
    file.write([msgspec.structs.replace(message, properties=_plain(message.properties))])
    file.close()
    assert list(read_export(file.path)) == [message]
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_line_that_a_crash_has_cut_is_taken_off_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    file = ExportFile(path)
    file.open()
    file.write([Exported(exchange="", routing_key="orders", body=str(number).encode()) for number in range(3)])
    file.close()
    with path.open("ab") as cut:
        cut.write(b'{"exchange": "", "rou')
    assert count_lines(path) == 3
    again = ExportFile(path)
    assert again.open() == 3
    again.write([Exported(exchange="", routing_key="orders", body=b"3")])
    again.close()
    assert [one.body for one in read_export(path)] == [b"0", b"1", b"2", b"3"]


def test_steps_mean_the_same_after_a_trip_through_the_audit_log(tmp_path: Path) -> None:
    def again(step: Step) -> Step:
        assert step.lasting
        assert step.repeatable
        return msgspec.json.decode(msgspec.json.encode(step), type=Step)

    for move in (park(), replay(5, 5), replay(5, 5, None)):
        assert orders.move_of(again(orders.move(move)).args) == move
    sort = Sort(ORDERS, "held", Which.DEATHS, "orders", 10, 3, 50.0)
    assert orders.sort_of(again(orders.sort(sort)).args) == sort
    export = Export(ORDERS, tmp_path / "x.jsonl", 12)
    assert orders.export_of(again(orders.export(export)).args) == export
    wait = Wait(ORDERS, 12, 300, diverted=True)
    assert orders.wait_of(again(orders.wait(wait)).args) == wait


def test_words_of_steps_are_fit_for_a_person() -> None:
    step = orders.move(Move("/", "or\x1b[31mders", "held", "shovel", 12_000, 0, per_s=500.0))
    assert "\x1b" not in step.words
    assert "12,000" in step.words
    assert "500 a second" in step.words
