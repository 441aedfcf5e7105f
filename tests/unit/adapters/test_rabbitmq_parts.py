"""The parts of the RabbitMQ adapter: names, ages, ways of dead letters, the metrics page, what can be done."""

import random
from collections.abc import Collection
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.http import Server
from adapters.rabbitmq import RabbitMQOptions
from adapters.rabbitmq.abilities import QUEUE_VERBS, Case, Powers
from adapters.rabbitmq.ages import MOST_MARKS, Arrivals, age_of, exact_age
from adapters.rabbitmq.api import Binding, Details, Exchange, Row, Stats
from adapters.rabbitmq.broker import explain
from adapters.rabbitmq.coarse import CoarsePages
from adapters.rabbitmq.flow import Flow, Rates
from adapters.rabbitmq.names import LONGEST, Errand, Hold, OwnNames, Place, RefNames
from adapters.rabbitmq.shape import DeadLetterWays, Shape, shape_of, topic_matches
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import AgeQuality
from console.domain.verbs import Verb

NAMES = OwnNames("switchgear")
OPTIONS: dict[str, Any] = {"urls": ["http://one:15672"], "user": "console", "password": "env:PASSWORD"}


# ── options ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_options_need_little_and_say_what_is_wrong_with_them() -> None:
    assert RabbitMQOptions(**OPTIONS).vhosts == ["/"]
    wrongs: tuple[dict[str, Any], ...] = (
        {"urls": []},
        {"urls": ["http://user:secret@one:15672"]},
        {"urls": ["amqp://one"]},
        {"amqp": "http://one"},
        {"amqp": "amqp://one/vhost"},
        {"prometheus": ["one:15692"]},
        {"vhosts": []},
        {"prefix": "a.b"},
        {"password": "secret"},
    )
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            RabbitMQOptions(**{**OPTIONS, **wrong})


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_queue_is_called_by_its_own_name_with_one_virtual_host_and_by_both_with_more() -> None:
    alone, many = RefNames(["/"]), RefNames(["/", "a/b"])
    assert alone.name(Place("/", "x/y")) == "x/y"
    assert many.name(Place("/", "x/y")) == "%2F/x/y"
    assert many.place("%2F/x/y") == Place("/", "x/y")
    assert many.place("a%2Fb/q") == Place("a/b", "q")
    assert many.place("elsewhere/q") is None
    assert many.place("%2F") is None


@given(st.sampled_from(["/", "a/b", "%2F"]), st.text(min_size=1, max_size=40))
def test_every_queue_is_found_again_by_its_name(vhost: str, queue: str) -> None:
    names = RefNames(["/", "a/b", "%2F"])
    assert names.place(names.name(Place(vhost, queue))) == Place(vhost, queue)


@given(st.text(min_size=1, max_size=40), st.sampled_from(Hold), st.sampled_from(Errand))
def test_the_broker_remembers_by_names_what_was_done_to_a_queue(queue: str, hold: Hold, errand: Errand) -> None:
    assert NAMES.held(NAMES.holding(queue, hold)) == (hold, queue)
    assert NAMES.errand(NAMES.shovel(queue, errand)) == (errand, queue)
    assert NAMES.held(queue) is None or queue.startswith("switchgear.")


def test_names_of_others_and_names_without_a_queue_are_not_ours() -> None:
    assert NAMES.held("switchgear.parked.") is None
    assert NAMES.held("switchgear.orders") is None
    assert NAMES.held("other.parked.orders") is None
    assert OwnNames("other").held("other.parked.orders") == (Hold.PARKED, "orders")


def test_a_name_fits_when_every_name_that_we_make_of_it_does() -> None:
    longest = max(
        len(name.encode()) for name in (*(NAMES.holding("", h) for h in Hold), *(NAMES.shovel("", e) for e in Errand))
    )
    assert NAMES.fits("é" * ((LONGEST - longest) // 2))
    assert not NAMES.fits("x" * (LONGEST - longest + 1))


# ── ages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_oldest_of_n_is_the_nth_newest() -> None:
    arrivals = Arrivals()
    for at in range(0, 100, 5):  # ten a second, and nobody takes any
        arrivals.mark(at, 10.0 * at, 10 * at)
    assert arrivals.oldest(100) == pytest.approx(85.0)
    age, quality = age_of(100, None, 95.0, arrivals, head_is_oldest=True)
    assert age == pytest.approx(10.0)
    assert quality is AgeQuality.ESTIMATED


def test_after_an_idle_time_what_came_then_is_not_taken_to_be_older() -> None:
    arrivals = Arrivals()
    for at in range(0, 1000, 5):
        arrivals.mark(at, 50.0, 0)
    arrivals.mark(1000, 80.0, 30)
    assert arrivals.oldest(30) == pytest.approx(995.0)  # after the last moment without them
    assert arrivals.oldest(15) == pytest.approx(997.5)


def test_what_was_there_before_the_first_look_has_no_age_until_the_server_tells_its_past() -> None:
    arrivals = Arrivals()
    arrivals.mark(1000, 500.0, 100)
    assert arrivals.oldest(100) is None
    arrivals.seed([(940.0, 450.0), (880.0, 350.0), (1060.0, 900.0)])
    assert arrivals.oldest(100) == pytest.approx(910.0)
    assert arrivals.oldest(400) is None


def test_a_server_that_counts_anew_makes_the_past_forgotten() -> None:
    arrivals = Arrivals()
    arrivals.mark(0, 1000.0, 10)
    arrivals.mark(5, 1010.0, 20)
    arrivals.mark(10, 3.0, 23)
    assert arrivals.oldest(10) is None
    arrivals.mark(15, 999.0, 23)
    assert arrivals.oldest(10) is not None


def test_a_count_that_is_a_little_behind_is_another_nodes_and_changes_nothing() -> None:
    arrivals = Arrivals()
    arrivals.mark(0, 1000.0, 0)
    arrivals.mark(5, 1100.0, 100)
    arrivals.mark(10, 1090.0, 100)
    assert arrivals.oldest(50) == pytest.approx(2.5)


def test_where_messages_come_in_uncounted_nothing_is_estimated() -> None:
    arrivals = Arrivals()
    for at in (0, 5, 10, 15, 20):
        arrivals.mark(at, 1000.0 + at, 500 + at)
    assert arrivals.oldest(10) is not None
    arrivals.mark(25, 1025.0, 700)  # dead letters, which no publish count knows
    assert arrivals.oldest(10) is None


def test_numbers_that_are_told_at_different_moments_are_no_sign_of_others() -> None:
    arrivals = Arrivals()
    for at, published, depth in (
        (0, 0, 0),
        (5, 1000, 0),
        (10, 1000, 1000),
        (15, 1000, 1000),
        (20, 3000, 1000),
        (25, 3000, 3000),
    ):
        arrivals.mark(at, published, depth)
    assert arrivals.oldest(3000) is not None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=300), st.randoms())
def test_an_estimate_is_never_older_than_the_oldest_message(
    steps: list[tuple[int, int]], chance: random.Random
) -> None:
    """A queue of any order: the real oldest is at least as old as the estimate says, up to one look."""
    waiting: list[int] = []
    arrivals, published = Arrivals(), 0
    for number, (come, go) in enumerate(steps):
        at = 5 * number
        waiting += [at] * come
        published += come
        for _ in range(min(go, len(waiting))):
            waiting.pop(chance.randrange(len(waiting)))
        arrivals.mark(at, published, len(waiting))
        since = arrivals.oldest(len(waiting)) if waiting else None
        if since is not None and len(steps) <= MOST_MARKS:
            assert min(waiting) <= since + 5


def test_a_long_past_is_kept_in_few_marks() -> None:
    arrivals = Arrivals()
    for number in range(10_000):
        arrivals.mark(5.0 * number, 10.0 * number, 0)
    since = arrivals.oldest(50_000)
    assert since is not None
    assert since == pytest.approx(5.0 * 5000, rel=0.2)


@pytest.mark.parametrize("odd", [None, True, "1700000000", 1_700_000_000_000, float("nan"), float("inf"), -1, 1e300])
def test_a_timestamp_that_is_none_gives_no_age(odd: object) -> None:
    assert exact_age(odd, 1_700_000_100.0) is None


def test_a_timestamp_counts_only_where_the_head_is_the_oldest() -> None:
    assert age_of(1, 1000, 1060.0, None, head_is_oldest=True) == (60.0, AgeQuality.EXACT)
    assert age_of(1, 1000, 1060.0, None, head_is_oldest=False) == (None, AgeQuality.UNKNOWN)
    assert age_of(0, 1000, 1060.0, None, head_is_oldest=True) == (None, AgeQuality.UNKNOWN)
    assert age_of(1, 1030, 1000.0, None, head_is_oldest=True) == (0.0, AgeQuality.EXACT)  # another clock


# ── rates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _stats(published: float, acked: float = 0.0, rate: float = 0.0) -> Stats:
    return Stats(publish=published, ack=acked, publish_details=Details(rate=rate), ack_details=Details(rate=rate))


def test_rates_are_those_of_the_last_half_minute_whatever_the_server_says() -> None:
    flow = Flow()
    for at in range(0, 100, 5):
        flow.mark(at, _stats(10.0 * at, 4.0 * at))
    flow.mark(100, _stats(1000.0, 400.0))
    assert flow.rates(_stats(1000.0, 400.0, rate=0.0)) == Rates(10.0, 4.0, 0.0)
    for at in range(105, 145, 5):
        flow.mark(at, _stats(1000.0, 400.0))
    assert flow.rates(None) == Rates(0.0, 0.0, 0.0)


def test_the_servers_own_rates_serve_until_there_are_counts_enough() -> None:
    flow = Flow()
    flow.mark(0, _stats(100.0))
    flow.mark(5, _stats(150.0))
    assert flow.rates(_stats(150.0, rate=7.0)) == Rates(7.0, 7.0, 0.0)
    flow.mark(10, _stats(3.0))  # the server was started again
    assert flow.rates(_stats(3.0, rate=1.0)).arrived == 1.0


# ── shapes and dead letters ──────────────────────────────────────────────────────────────────────────────────────────


def test_arguments_win_over_policies_and_a_row_without_them_changes_nothing() -> None:
    row = Row(
        name="q",
        arguments={"x-dead-letter-exchange": "mine"},
        effective_policy_definition={"dead-letter-exchange": "theirs", "dead-letter-routing-key": "key"},
    )
    shape = shape_of(row)
    assert (shape.dead_exchange, shape.dead_key) == ("mine", "key")
    assert shape_of(Row(name="q"), shape) is shape
    # a listing without policies does not take away what a policy said
    assert shape_of(Row(name="q", arguments={}), shape).dead_exchange == "mine"
    assert shape_of(Row(name="q", arguments={}, effective_policy_definition=[]), shape).dead_exchange is None
    assert shape_of(Row(name="q", arguments={"x-dead-letter-exchange": 5})).dead_exchange is None


def _ways(kind: str, *bindings: tuple[str, str]) -> DeadLetterWays:
    ways = DeadLetterWays([Exchange("dead", kind)])
    ways.learn("dead", [Binding(to, "queue", key) for to, key in bindings])
    return ways


@pytest.mark.parametrize(
    ("ways", "shape", "target"),
    [
        (_ways("direct", ("a", "x"), ("b", "y")), Shape(dead_exchange="dead", dead_key="y"), "b"),
        (_ways("direct", ("a", "x"), ("b", "q")), Shape(dead_exchange="dead"), "b"),  # published by queue name
        (_ways("direct", ("a", "x")), Shape(dead_exchange="dead"), "a"),  # the only way
        (_ways("direct", ("a", "x"), ("b", "y")), Shape(dead_exchange="dead"), None),  # by each message's key
        (_ways("direct", ("a", "x")), Shape(dead_exchange="dead", dead_key="z"), None),  # dropped
        (_ways("fanout", ("a", "")), Shape(dead_exchange="dead", dead_key="z"), "a"),
        (_ways("fanout", ("a", ""), ("b", "")), Shape(dead_exchange="dead"), None),
        (_ways("topic", ("a", "eu.#"), ("b", "us.#")), Shape(dead_exchange="dead", dead_key="us.orders"), "b"),
        (_ways("headers", ("a", "")), Shape(dead_exchange="dead"), None),
        (_ways("direct"), Shape(dead_exchange="gone", dead_key="x"), None),
        (_ways("direct"), Shape(dead_exchange="", dead_key="graveyard"), "graveyard"),
        (_ways("direct"), Shape(dead_exchange="", dead_key="q"), None),  # back into itself
        (_ways("direct"), Shape(dead_exchange=""), None),
        (_ways("direct"), Shape(), None),
    ],
)
def test_the_way_of_dead_letters_is_found_or_left_unknown(
    ways: DeadLetterWays, shape: Shape, target: str | None
) -> None:
    assert ways.target("q", shape) == target


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("#", "a.b.c", True),
        ("#", "", True),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.#", "a", True),
        ("a.#.z", "a.b.c.z", True),
        ("a.#.z", "a.b.c", False),
        ("*.*", "a", False),
        ("#.#.a", "b.a", True),
        ("a", "a.b", False),
    ],
)
def test_topics_match_as_the_broker_matches_them(pattern: str, key: str, matches: bool) -> None:
    assert topic_matches(pattern, key) is matches


def test_a_topic_made_to_be_slow_is_not() -> None:
    assert topic_matches(".".join(["#"] * 64), ".".join("a" * 120)) is True
    assert topic_matches(".".join(["#"] * 1000), "a") is False


# ── the metrics page ─────────────────────────────────────────────────────────────────────────────────────────────────


def _page(**queues: tuple[int, int, int]) -> bytes:
    lines = []
    for number, name in enumerate(("queue_messages_ready", "queue_messages_unacked", "queue_consumers")):
        lines += [f"# TYPE rabbitmq_detailed_{name} gauge", f"# HELP rabbitmq_detailed_{name} words"]
        lines += [f'rabbitmq_detailed_{name}{{vhost="/",queue="{q}"}} {n[number]}' for q, n in queues.items()]
        lines += ["# TYPE rabbitmq_detailed_other counter", 'rabbitmq_detailed_other{vhost="/",queue="a"} 5']
    return "\n".join([*lines, ""]).encode()


def _pages(known: Collection[str] = ()) -> CoarsePages:
    transport = httpx.MockTransport(lambda request: httpx.Response(500))
    server = Server("http://one.test:15692", timeout_s=1.0, transport=transport)
    return CoarsePages(server, ("/",), lambda place: place.queue in known)


def test_a_page_gives_the_three_numbers_of_every_queue() -> None:
    pages = _pages()
    found = pages.take(_page(a=(1, 2, 3), b=(0, 0, 0)))
    assert {place.queue: (seen.ready, seen.unacked, seen.consumers) for place, seen in found.items()} == {
        "a": (1, 2, 3),
        "b": (0, 0, 0),
    }


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcdef"), st.tuples(*[st.integers(0, 3)] * 3), max_size=6),
        min_size=1,
        max_size=6,
    )
)
def test_a_page_is_read_the_same_whatever_came_before_it(pages_of: list[dict[str, tuple[int, int, int]]]) -> None:
    pages = _pages()
    for queues in pages_of:
        found = pages.take(_page(**queues))
        assert {place.queue: (seen.ready, seen.unacked, seen.consumers) for place, seen in found.items()} == queues


def _named(*names: str) -> bytes:
    lines = [f'rabbitmq_detailed_queue_messages_ready{{vhost="/",queue="{name}"}} 3' for name in names]
    return "\n".join(["# TYPE rabbitmq_detailed_queue_messages_ready gauge", *lines, ""]).encode()


def test_names_are_read_whether_the_server_escapes_them_or_not() -> None:
    name = 'a"b\\c} 7" d'
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    for written in (name, escaped):
        assert _pages(known={name}).take(_named(written)).keys() == {Place("/", name)}
    pages = _pages(known={name})
    pages.take(_named(escaped))
    assert Place("/", 'x"y') in pages.take(_named(escaped, 'x\\"y'))  # one name has shown it for all


def test_other_virtual_hosts_and_queues_without_numbers_are_passed_over() -> None:
    page = _named("mine").replace(b"mine", b'mine"} 3\nrabbitmq_detailed_queue_messages_ready{vhost="other",queue="a')
    page += b'rabbitmq_detailed_queue_messages_ready{vhost="/",queue="new"} undefined\n'
    assert _pages().take(page).keys() == {Place("/", "mine")}


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html>",
        b"# TYPE something gauge\n",
        _page(a=(1, 2, 3))[:-5],
        b"# TYPE rabbitmq_detailed_queue_messages_ready gauge\nrabbitmq_detailed_queue_messages_ready{nonsense\n",
    ],
)
def test_a_page_that_is_none_is_refused(page: bytes) -> None:
    with pytest.raises(BackendError) as caught:
        _pages().take(page)
    assert caught.value.kind is ErrorKind.MALFORMED


def test_a_broker_without_any_queue_is_empty_and_not_an_error() -> None:
    assert _pages().take(_page()) == {}


# ── what can be done ─────────────────────────────────────────────────────────────────────────────────────────────────


ALL = Powers(amqp=True, exports=True)
WELL = Case(kind="classic", state="running", parked=True, dead_letter_queue=True, dead_letters=True)


def test_a_queue_with_everything_can_do_everything_but_resume() -> None:
    unable = [ability.verb for ability in ALL.of(WELL) if not ability.able]
    assert unable == [Verb.RESUME]
    assert [ability.verb for ability in ALL.of(WELL)] == list(QUEUE_VERBS)


@pytest.mark.parametrize(
    ("powers", "case", "verb", "word"),
    [
        (ALL, Case("stream", "running"), Verb.PAUSE, "stream"),
        (ALL, Case("classic", "running", exclusive=True), Verb.PURGE, "exclusive"),
        (ALL, Case("quorum", "minority"), Verb.PARK, "minority"),
        (ALL, Case("classic", "running", fits=False), Verb.PARK, "long"),
        (ALL, Case("quorum", "running"), Verb.ISOLATE, "quorum"),
        (ALL, Case("classic", "running", paused=True), Verb.PAUSE, "paused already"),
        (ALL, Case("classic", "running"), Verb.RESUME, "not paused"),
        (ALL, Case("classic", "running"), Verb.REPLAY, "parked"),
        (ALL, Case("classic", "running"), Verb.REQUEUE, "no dead-letter queue"),
        (ALL, Case("classic", "running", dead_letter_queue=True), Verb.REQUEUE, "no dead letters"),
        (Powers(amqp=False, exports=True), WELL, Verb.ISOLATE, "amqp"),
        (Powers(amqp=True, exports=False), WELL, Verb.PURGE, "folder"),
        (Powers("no plugin", amqp=True), WELL, Verb.PARK, "no plugin"),
        (Powers("no plugin", amqp=True), WELL, Verb.ISOLATE, "no plugin"),
        (ALL, Case("classic", "a\x1b[2Jb"), Verb.PARK, "the queue is a"),
    ],
)
def test_what_cannot_be_done_has_its_reason(powers: Powers, case: Case, verb: Verb, word: str) -> None:
    assert word in powers.why_not(verb, case)
    assert "\x1b" not in powers.why_not(verb, case)


def test_401_is_a_wrong_password_or_a_missing_right() -> None:
    for words in ("Login failed", "Not_Authorized"):
        assert explain(401, words) is None
    found = explain(401, "Not monitor user")
    assert found is not None
    assert found[0] is ErrorKind.FORBIDDEN
