import random

import pytest

from console.domain.actions import SetWeight, Switch
from console.domain.circuit import Observed
from console.domain.freshness import Freshness
from console.domain.readings import SwitchOption
from console.domain.runbooks import RampStage
from console.forecast.routing import Slot, spread
from runbooks import ramping
from runbooks.ramping import Policy, RampFault
from runbooks.schema import Ramp
from tests.unit.runbooks.ramp.scenes import NEW, RAMP, ROUTE, Look, ref

BY_ORDER = SwitchOption(to="new", mechanism="order", words="new is asked first")


def begun(look: Look, ramp: Ramp = RAMP) -> RampStage:
    return ramping.begin(ramp, ROUTE, NEW, look)


@pytest.mark.parametrize("percent", [1.0, 5.0, 25.0, 50.0, 99.0])
def test_the_weight_of_a_stage_gives_its_share_in_the_router(percent: float) -> None:
    look = Look()
    stage = begun(look, Ramp(route="chat", to="new", stages=(percent, 100.0)))
    (intent,) = ramping.intents(RAMP, stage, "r/s/1", "why")
    assert isinstance(intent.action, SetWeight)
    assert intent.target == NEW
    look.weights["new"] = intent.action.weight
    flow, left = spread(100.0, [Slot(name, open=False, weight=w, order=None) for name, w in look.weights.items()])
    assert left == 0
    assert flow["new"] == pytest.approx(percent, rel=1e-5)
    assert flow["old"] == pytest.approx(9 * flow["older"])  # the others stay among themselves as they were


def test_open_weightless_and_missing_weights_do_not_count() -> None:
    look = Look(weights={"old": 90.0, "older": 10.0, "new": 0.0, "off": 0.0, "none": None})
    look.circuits["old"] = Observed.OPEN
    stage = begun(look, Ramp(route="chat", to="new", stages=(50.0,)))
    assert stage.weights["new"] == 10.0
    assert stage.saved == {"old": 90.0, "older": 10.0, "new": 0.0, "off": 0.0, "none": 0.0}


def test_only_those_of_the_same_order_count() -> None:
    look = Look(orders={"old": 1, "new": 1, "older": 2})
    assert begun(look, Ramp(route="chat", to="new", stages=(50.0,))).weights["new"] == 90.0


def test_it_begins_at_the_first_stage_that_gives_more() -> None:
    look = Look(weights={"old": 60.0, "new": 40.0})
    stage = begun(look)
    assert stage.shares[stage.index] == 50.0
    assert stage.weights == {"old": 60.0, "new": 60.0}


def test_the_last_stage_switches_where_a_switch_leads_to_the_target() -> None:
    stage = begun(Look(options=(BY_ORDER,)), Ramp(route="chat", to="new", stages=(100.0,)))
    (intent,) = ramping.intents(RAMP, stage, "r/s/1", "why")
    assert (intent.target, intent.action) == (ROUTE, Switch(to="new", mechanism="order"))


def test_a_switch_to_elsewhere_is_no_way_to_the_target() -> None:
    elsewhere = SwitchOption(to="older", mechanism="order", words="")
    stage = begun(Look(options=(elsewhere,)), Ramp(route="chat", to="new", stages=(100.0,)))
    assert stage.switch == ""


def test_else_the_others_get_nothing_those_that_are_open_too() -> None:
    look = Look(weights={"old": 90.0, "older": 10.0, "new": 5.0, "off": 0.0})
    look.circuits["old"] = Observed.OPEN
    stage = begun(look, Ramp(route="chat", to="new", stages=(100.0,)))
    found = ramping.intents(RAMP, stage, "r/s/1", "why")
    assert [(one.target, one.action) for one in found] == [
        (ref("old"), SetWeight(0.0)), (ref("older"), SetWeight(0.0)), (NEW, SetWeight(5.0)),
    ]  # fmt: skip
    ttls = [one.ttl_s or 0.0 for one in found]
    assert ttls[0] == ttls[1] < ttls[2]  # for no moment has nobody a weight
    assert len({one.key for one in found}) == 3


def test_each_stage_outlives_the_rest_of_the_ramp_within_the_policy() -> None:
    look = Look()
    stage = begun(look)
    (first,) = ramping.intents(RAMP, stage, "r/s/1", "why")
    assert (first.ttl_s or 0.0) >= 5 * 900
    short = Policy(longest_s=1200.0)
    (held,) = ramping.intents(RAMP, stage, "r/s/1", "why", short)
    assert (held.ttl_s or 0.0) <= 1200.0


def test_it_holds_for_as_long_as_is_wanted_after_its_last_stage() -> None:
    look = Look()
    ttls = []
    for keep in (0.0, 7200.0, 90_000.0):
        ramp = Ramp(route="chat", to="new", stages=(100,), patience=600, keep=keep)
        ttls.append(ramping.intents(ramp, begun(look, ramp), "k", "why")[0].ttl_s)
    assert ttls == [600.0, 7800.0, 14400.0 - 60.0]  # not longer than the policy


def test_a_switch_that_stands_is_not_set_once_more() -> None:
    look = Look(options=(BY_ORDER,), orders={"old": 1, "older": 1, "new": 1})
    ramp = Ramp(route="chat", to="new", stages=(100,))
    stage = begun(look, ramp)
    assert len(ramping.intents(ramp, stage, "k", "why")) == 1
    assert len(ramping.intents(ramp, ramping.resumed(stage, look), "k", "why")) == 1  # it has ended meanwhile
    look.orders["new"] = 0
    again = ramping.resumed(stage, look)
    assert ramping.intents(ramp, again, "k", "why") == ()
    assert again.switch == "order"


def test_the_same_stage_gives_the_same_intents_and_each_round_new_keys() -> None:
    look = Look()
    stage = begun(look)
    again = ramping.resumed(stage, look)
    assert ramping.intents(RAMP, stage, "k", "why") == ramping.intents(RAMP, stage, "k", "why")
    assert again.weights == stage.weights
    assert again.saved == stage.saved
    assert ramping.intents(RAMP, again, "k", "why")[0].key != ramping.intents(RAMP, stage, "k", "why")[0].key


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (Look(weights={"old": 90.0}), "no deployment of the route"),
        (Look(answered_by="lite"), "is answered by lite"),
        (Look(circuits={"new": Observed.OPEN}), "circuit of new is open"),
        (Look(unable={"new": "it is defined in a file"}), "it is defined in a file"),
        (Look(orders={"old": 1, "older": 1, "new": 2}), "asked before new"),
        (Look(orders={"old": 1, "older": 1, "new": None}), "no routing order"),
        (Look(weights={"old": 0.0, "older": 0.0, "new": 1.0}), "every request of chat already"),
        (Look(weights={"old": None, "older": None, "new": None}), "has a weight"),
        (Look(circuits={"old": Observed.OPEN, "older": Observed.OPEN}), "every request of chat already"),
        (Look(freshness=Freshness.STALE), "stale"),
        (Look(unable={"older": "pinned"}), "older cannot be set to 0: pinned"),
        (Look(left=5.0), "1.3 × is wanted"),
    ],
)
def test_why_a_ramp_does_not_begin(look: Look, words: str) -> None:
    with pytest.raises(RampFault, match=words):
        begun(look)


def test_a_ramp_that_would_give_less_does_not_begin() -> None:
    with pytest.raises(RampFault, match="50 % of chat already"):
        begun(Look(weights={"old": 10.0, "new": 10.0}), Ramp(route="chat", to="new", stages=(5.0, 50.0)))


def test_whose_limits_nobody_knows_is_not_kept_from_beginning() -> None:
    assert begun(Look(left=None)).index == 0


def test_what_is_tried_again_at_the_others_needs_room_until_it_ends() -> None:
    # 600 requests/min, each tried twice because the old one fails: at 50 % half of the second tries are left.
    look = Look(attempts=2.0, errors={"old": 0.9}, left=449.0 * 1.3)
    ramp = Ramp(route="chat", to="new", stages=(50.0,))
    with pytest.raises(RampFault, match="the 450 that 50 % would bring") as caught:
        begun(look, ramp)
    assert caught.value.passes
    look.left = 451.0 * 1.3
    assert begun(look, ramp).index == 0


def test_shares_of_random_routes() -> None:
    chance = random.Random(7)
    for _ in range(200):
        weights: dict[str, float | None] = {f"d{n}": round(chance.uniform(0.1, 500), 2) for n in range(4)}
        look = Look(weights=weights | {"new": 0.0})
        percent = chance.uniform(0.1, 99.9)
        stage = begun(look, Ramp(route="chat", to="new", stages=(percent,)))
        look.weights["new"] = stage.weights["new"]
        assert 100 * look.shares()["new"] == pytest.approx(percent, rel=1e-4)


def test_stages_and_holds_may_be_parameters() -> None:
    ramp = Ramp.model_validate({"route": "chat", "to": "new", "stages": "${stages}", "hold": "${hold}"})
    stage = begun(Look(parameters={"stages": "5, 25%,100", "hold": 90.0}), ramp)
    assert (stage.shares, stage.wanted_s, stage.wanted_requests) == ((5.0, 25.0, 100.0), 90.0, 300.0)
    for given in ("", "5,5", "50,25", "0,5", "5,101", "nan", "a lot"):
        with pytest.raises(RampFault, match="no stages"):
            begun(Look(parameters={"stages": given, "hold": 90.0}), ramp)
    with pytest.raises(RampFault, match="parameter hold"):
        begun(Look(parameters={"stages": "5"}), ramp)
