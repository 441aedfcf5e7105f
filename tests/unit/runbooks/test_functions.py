"""Each function over one small platform: its value, its unit, and when it cannot be said."""

import pytest
from msgspec.structs import replace

from console.domain.actions import OnExpiry
from console.domain.alerts import AlertState
from console.domain.circuit import Circuit, Mode, Observed, ReplicaCircuit
from console.domain.incidents import Blame, Dimension
from console.domain.readings import (
    Ability,
    Deployment,
    Headroom,
    Queue,
    Route,
    RouteTarget,
    Spend,
    SpendScope,
    SwitchOption,
)
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from runbooks.expressions import find, judge
from runbooks.functions import FUNCTIONS
from tests.unit.runbooks.ramp.scenes import override
from tests.unit.runbooks.scene import AZURE, IDLE, QUEUE, ROUTE, SLOW, WELL, Scene, alert, incident, stale


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("p50('chat-azure')", 4.0, "4 s"),
        ("p95('chat')", 5.0, "5 s"),
        ("errors('chat-azure')", 0.2, "20 %"),
        ("throttled('chat-azure')", 0.2, "20 %"),
        ("failing('chat-azure', '500')", 0.0, "0 %"),
        ("requests('chat')", 140.0, "140/min"),
        ("tokens('chat-azure')", 1000.0, "1,000/min"),
        ("in_flight('chat-azure')", 4.0, "4"),
        ("in_flight('chat-jobs')", 5.0, "5"),
        ("attempts('chat')", 1.2, "1.2"),
        ("headroom('chat-azure')", 0.4, "40 %"),
        ("headroom('chat')", 0.4, "40 %"),
        ("room('chat-openai')", 400.0, "400/min"),
        ("able('chat-azure', 'trip')", False, "no"),
        ("carries('azure')", True, "yes"),
        ("weight('chat-openai')", 40.0, "40"),
        ("share('chat-openai')", 0.3, "30 %"),
        ("share('chat-azure', 'chat')", 0.7, "70 %"),
        ("answered_by('chat')", "", ""),
        ("circuit('chat-azure')", "closed", "closed"),
        ("mode('chat-azure')", "auto", "auto"),
        ("converged('chat-azure')", True, "yes"),
        ("depth('chat-jobs')", 1200.0, "1,200"),
        ("oldest('chat-jobs')", 90.0, "90 s"),
        ("consumers('chat-jobs')", 4.0, "4"),
        ("parked('chat-jobs')", 0.0, "0"),
        ("dead('chat-jobs')", 7.0, "7"),
        ("rate_in('chat-jobs')", 60.0, "60/min"),
        ("rate_out('chat-jobs')", 180.0, "180/min"),
        ("growth('chat-jobs')", -120.0, "-120/min"),
        ("redelivered('chat-jobs')", 0.1, "10 %"),
        ("time_to_drain('chat-jobs')", 600.0, "10 min"),
        ("paused('chat-jobs')", False, "no"),
        ("stuck('api')", 2.0, "2"),
        ("idle('api')", 600.0, "10 min"),
        ("duplicates('api')", 1.0, "1"),
        ("snapshots('api')[0]", "v2", None),
        ("healthy('chat-openai')", True, "yes"),
        ("transport('chat-azure')", "bad", "bad"),
        ("answers('chat-azure')", "ok", "ok"),
        ("cost('chat-azure')", "ok", "ok"),
        ("data_age('gw')", 3.0, "3 s"),
        ("fresh('chat')", True, "yes"),
        ("replicas_down('gw')", 1.0, "1"),
        ("exists('route/chat')", True, "yes"),
        ("exists('queue/chat')", False, "no"),
        ("overridden('chat-azure')", False, "no"),
        ("acted_on('chat-azure')", False, "no"),
        ("usd_per_h('chat')", 6.0, "$6.00/h"),
        ("usd_per_request('chat-azure')", 0.01, "$0.01"),
        ("spend('batch')", 12.0, "$12.00/h"),
        ("spent_today('batch')", 20.0, "$20.00"),
        ("budget('batch')", 100.0, "$100.00"),
        ("budget_left('batch')", 0.25, "25 %"),
        ("budget_lasts('batch')", 3600.0, "60 min"),
        ("phantom('batch')", 2.0, "2"),
        ("blocked('batch')", False, "no"),
        ("firing('latency')", True, "yes"),
        ("firing('latency', 'chat-openai')", False, "no"),
        ("firing('fin*', 'chat-azure')", True, "yes"),
        ("firing('finish', 'chat-azure')", True, "yes"),
        ("firing_for('latency', 'chat-azure')", 300.0, "5 min"),
        ("culprit()", "azure", "azure"),
        ("culprit('deployment')", "chat-azure", "chat-azure"),
        ("culprit('queue')", None, "none"),
        ("culprit_kind()", "provider", "provider"),
        ("route_of('chat-azure')", "chat", "chat"),
        ("route_of('chat-jobs')", "chat", "chat"),
        ("routes('openai')[0]", "chat", None),
        ("provider_of('chat-azure')", "azure", "azure"),
        ("model_of('chat-azure')", "gpt-5", "gpt-5"),
        ("deployments('openai')[1]", "chat-spare", None),
        ("primary('chat')", "chat-azure", "chat-azure"),
        ("queue_of('chat')", "chat-jobs", "chat-jobs"),
        ("alternative('chat')", "chat-openai", "chat-openai"),
        ("same('chat', 'gw:route/chat')", True, "yes"),
        ("seconds('5m')", 300.0, "5 min"),
        ("count('abc')", 3.0, "3"),
        ("least(1, 2)", 1.0, "1"),
        ("greatest(1, 2)", 2.0, "2"),
    ],
)  # fmt: skip
def test_each_function(text: str, value: object, shown: str | None) -> None:
    first = alert()
    scene = Scene(alerts=(first, alert("finish/length")), incidents=(incident(first),))
    scope = scene.scope()
    if isinstance(value, bool) or value in (None, ""):
        quoted = {True: "true", False: "false", None: "null", "": "''"}[value]
        found = judge("check", f"{text} == {quoted}", scope)
        assert found.holds is True, found
    else:
        assert find(text, scope) == pytest.approx(value)
        found = judge("check", f"{text} != ''", scope)
    if shown is not None:
        assert found.seen[0].words == shown


def test_all_are_tried() -> None:
    """So that a function is not documented and forgotten."""
    marks = vars(test_each_function)["pytestmark"]
    tried = {str(row[0]).partition("(")[0] for mark in marks for row in mark.args[1]}
    elsewhere = {"mean", "max", "min", "slope", "usual", "ttft", "per_token", "amplification", "fallback", "grown_key"}
    assert tried | elsewhere == set(FUNCTIONS)


def test_the_one_key_that_spends_far_more_is_named() -> None:
    batch = Scene().things[Ref("gw", Kind.SPEND, "key/batch")]
    assert isinstance(batch, Spend)
    other = replace(batch, ref=Ref("gw", Kind.SPEND, "key/web"), subject="web")
    whole = replace(batch, ref=Ref("gw", Kind.SPEND, "all"), subject="all", scope=SpendScope.TOTAL)
    grown, even = [4.0] * 20 + [12.0] * 12, [10.0] * 16 + [16.0] * 16
    past = {(batch.ref, "usd_per_h"): grown, (other.ref, "usd_per_h"): even, (whole.ref, "usd_per_h"): grown}
    scene = Scene(things={one.ref: one for one in (*Scene().things.values(), other, whole)}, past=past)
    assert find("grown_key()", scene.scope()) == "batch", "the other spends half as much again, as batches do"
    scene.past = past | {(other.ref, "usd_per_h"): grown}
    assert find("grown_key()", scene.scope()) is None, "all of them: that is the price"
    scene.past = {(batch.ref, "usd_per_h"): [0.1] * 20 + [0.4] * 12}
    assert find("grown_key()", scene.scope()) is None, "of what all spend that is nothing"
    scene.past = {(batch.ref, "usd_per_h"): grown[-8:]}
    assert find("grown_key()", scene.scope()) is None, "two minutes say nothing"


def test_a_fallback_is_a_route_that_can_answer() -> None:
    scene = Scene()
    route, well = scene.things[ROUTE], scene.things[WELL]
    assert isinstance(route, Route)
    assert isinstance(well, Deployment)
    ref = Ref("gw", Kind.ROUTE, "lite")
    lite = replace(route, ref=ref, targets=(RouteTarget(deployment="lite-b"), RouteTarget(deployment="lite-a")))
    options = (
        SwitchOption(to="chat-openai", mechanism="order", words=""),
        SwitchOption(to="lite", mechanism="alias", words=""),
    )
    able = (Ability(Verb.SWITCH, able=True),)
    scene.things[ROUTE] = replace(route, fallbacks=("gone",), switch_options=options, can=able)
    scene.things[ref] = lite
    assert find("fallback('chat')", scene.scope()) is None, "nothing that is known answers there"
    scene.things[Ref("gw", Kind.DEPLOYMENT, "lite-a")] = replace(well, ref=Ref("gw", Kind.DEPLOYMENT, "lite-a"))
    later = replace(well, ref=Ref("gw", Kind.DEPLOYMENT, "lite-b"), order=2)
    scene.things[later.ref] = later
    assert find("fallback('chat')", scene.scope()) == "lite"
    assert find("room('lite')", scene.scope()) == 400.0, (
        "what comes later in the order has room for others' failures only"
    )
    assert scene.holds("able('chat', 'switch')") is True
    assert scene.holds("able('chat', 'switch', 'lite')") is True
    assert scene.holds("able('chat', 'switch', 'chat-azure')") is False
    blame = Blame(dimension=Dimension.MODEL, name="gpt-5", score=0.9, because="all of it fails")
    scene.incidents = (incident(blame=blame),)
    assert find("fallback('chat')", scene.scope()) is None, "it has the same model"
    assert find("alternative('chat', 'chat-azure')", scene.scope()) is None, "wherever that model is asked for"


def test_who_is_asked_now_is_the_better_alternative() -> None:
    scene = Scene()
    well, idle = scene.things[WELL], scene.things[IDLE]
    assert isinstance(well, Deployment)
    assert isinstance(idle, Deployment)
    scene.things[IDLE] = replace(idle, order=2, headroom=Headroom(requests_left=9000.0, requests_limit=9000.0))
    assert find("alternative('chat', 'chat-azure')", scene.scope()) == "chat-openai"


def test_the_past() -> None:
    rising = [float(place) for place in range(240)]
    scene = Scene(past={(ROUTE, "p95_s"): rising, (QUEUE, "depth"): [None, 5.0, 5.0, 5.0]})
    scope = scene.scope()
    assert find("mean('chat', 'p95', '10m')", scope) == 219.5
    assert find("max('chat', 'p95', 600)", scope) == 239.0
    assert find("min('chat', 'p95', 600)", scope) == 200.0
    assert find("slope('chat', 'p95', '30m')", scope) == pytest.approx(4.0)
    assert find("usual('chat', 'p95')", scope) == 109.5
    assert find("mean('chat-jobs', 'depth', '1m')", scope) == 5.0
    assert "too little of that time was seen" in scene.why("usual('chat-jobs', 'depth') > 1")
    scene.past = {(QUEUE, "depth"): [None, None, None, 5.0]}
    assert "too little of that time was seen" in scene.why("max('chat-jobs', 'depth', '1m') > 1"), "half at the least"


def test_a_queue_that_grows_is_never_drained() -> None:
    scene = Scene()
    queue = scene.things[QUEUE]
    assert isinstance(queue, Queue)
    scene.things[QUEUE] = replace(queue, out_per_min=60.0)
    assert scene.holds("time_to_drain('chat-jobs') > 1000000000") is True
    scene.things[QUEUE] = replace(queue, out_per_min=None)
    assert "what comes in and goes out is not told" in scene.why("time_to_drain('chat-jobs') < 60")


def test_a_circuit_that_nobody_shows_is_unsaid() -> None:
    scene = Scene()
    slow = scene.things[SLOW]
    assert isinstance(slow, Deployment)
    scene.things[SLOW] = replace(slow, circuit=Circuit())
    assert "no replica shows it" in scene.why("circuit('chat-azure') == 'closed'")
    shown = (ReplicaCircuit(replica="1", observed=Observed.OPEN), ReplicaCircuit(replica="2", observed=Observed.CLOSED))
    scene.things[SLOW] = replace(slow, circuit=Circuit(mode=Mode.FORCED_OPEN, replicas=shown))
    assert scene.holds("circuit('chat-azure') == 'open' && mode('chat-azure') == 'forced open'") is True
    assert scene.holds("converged('chat-azure')") is False


def test_the_alternative_leaves_out_who_is_ill_and_who_is_meant() -> None:
    first = alert()
    scene = Scene(alerts=(first,), incidents=(incident(first),))
    assert find("alternative('chat', 'chat-openai')", scene.scope()) == "chat-spare", "chat-azure fails"
    blame = Blame(dimension=Dimension.PROVIDER, name="openai", score=0.9, because="")
    scene.incidents = (incident(first, blame=blame),)
    assert find("alternative('chat')", scene.scope()) is None
    well = scene.things[WELL]
    assert isinstance(well, Deployment)
    opened = Circuit(replicas=(ReplicaCircuit(replica="1", observed=Observed.OPEN),))
    scene = Scene(things={**scene.things, WELL: replace(well, circuit=opened)})
    assert find("alternative('chat', 'chat-azure')", scene.scope()) == "chat-spare"


def test_amplification_is_over_all_layers() -> None:
    scene = Scene()
    route = scene.things[ROUTE]
    assert isinstance(route, Route)
    assert find("amplification('chat')", scene.scope()) == pytest.approx(1.2, abs=0.05)
    assert route.traffic is not None
    scene.things[ROUTE] = replace(route, traffic=replace(route.traffic, requests_per_min=0.0))
    assert "nothing flows there" in scene.why("amplification('chat') > 1")


def test_a_hand_on_it() -> None:
    held = replace(override("x"), target=SLOW, on_expiry=OnExpiry.REVERT)
    scene = Scene(snapshot={"overrides": (held,)})
    assert scene.holds("overridden('chat-azure') && overridden('chat-azure', 'weight')") is True
    assert scene.holds("overridden('chat-azure', 'trip') || overridden('chat-openai')") is False


def test_alerts_of_what_is_stale_say_nothing_but_those_of_sources_do() -> None:
    scene = Scene(alerts=(alert("stale-source", AZURE.__class__("gw", AZURE.kind.SOURCE, "gw")),))
    stale(scene)
    assert scene.holds("firing('stale-source', 'gw')") is True
    assert scene.holds("fresh('gw')") is False
    assert scene.holds("data_age('gw') > 500") is True
    assert "gw is stale" in scene.why("firing('latency', 'chat-azure')")


def test_nothing_is_healthy_whose_answers_nobody_sees() -> None:
    scene = Scene()
    assert scene.holds("healthy('chat-openai') && !healthy('chat-azure')") is True
    stale(scene, "traces")
    assert "do not answer themselves" in scene.why("healthy('chat-openai')")
    assert scene.holds("healthy('chat-azure')") is False, "what is seen is bad enough"


def test_an_alert_that_ended_while_nobody_looked_is_not_over() -> None:
    scene = Scene(alerts=(alert("agent-loop", state=AlertState.RESOLVED),))
    assert scene.holds("!firing('agent-loop')") is True
    stale(scene)
    assert "gw told of it and cannot be seen now" in scene.why("!firing('agent-loop')")
    assert scene.holds("!firing('retrieval')") is True, "nothing there ever told of it"
    assert IDLE.source == "gw"
