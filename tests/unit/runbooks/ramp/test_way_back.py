from console.domain.actions import Restore, SetWeight, Switch
from console.domain.readings import SwitchOption
from console.domain.runbooks import RampStage
from runbooks import ramping
from runbooks.schema import Ramp
from tests.unit.runbooks.ramp.scenes import NEW, ROUTE, Look, override, ref, weight_plan

WHOLE = Ramp(route="chat", to="new", stages=(50, 100))


def at_half(look: Look) -> RampStage:
    stage = ramping.begin(WHOLE, ROUTE, NEW, look)
    look.weights.update(stage.weights)
    return ramping.shown(stage, look.now)


def at_whole(look: Look) -> RampStage:
    ramp = Ramp(route="chat", to="new", stages=(100,))
    stage = ramping.begin(ramp, ROUTE, NEW, look)
    look.weights.update(stage.weights)
    return ramping.shown(stage, look.now)


def test_the_ramps_own_override_is_restored_and_so_ends() -> None:
    look = Look()
    stage = at_half(look)
    look.overrides = (override("new", number="mine"),)
    (intent,) = ramping.back(stage, look, "r/s/1/back", "it is ill")
    assert (intent.target, intent.action) == (NEW, Restore("mine"))
    assert intent.key.startswith("r/s/1/back/")


def test_others_come_back_before_the_target_goes() -> None:
    look = Look(weights={"old": 90.0, "older": 10.0, "new": 100.0})
    stage = at_whole(look)
    look.overrides = tuple(override(name, number=name) for name in ("new", "old", "older"))
    found = ramping.back(stage, look, "k", "why")
    assert [one.target for one in found] == [ref("old"), ref("older"), NEW]
    assert len({one.key for one in found}) == 3


def test_a_switch_goes_back_first() -> None:
    look = Look(
        weights={"old": 90.0, "older": 10.0, "new": 100.0},
        options=(SwitchOption(to="new", mechanism="order", words=""),),
    )
    stage = at_whole(look)
    switched = override("new", number="sw", target=ROUTE, action=Switch(to="new"))
    look.overrides = (switched, override("new", number="w"))
    assert [one.action for one in ramping.back(stage, look, "k", "why")] == [Restore("sw"), Restore("w")]


def test_keys_stay_when_a_part_is_back_already() -> None:
    look = Look(weights={"old": 90.0, "older": 10.0, "new": 100.0})
    stage = at_whole(look)
    look.overrides = tuple(override(name, number=name) for name in ("new", "old", "older"))
    keys = {one.target: one.key for one in ramping.back(stage, look, "k", "why")}
    look.overrides, look.weights["old"] = look.overrides[:1] + look.overrides[2:], 90.0
    again = {one.target: one.key for one in ramping.back(stage, look, "k", "why")}
    assert again == {NEW: keys[NEW], ref("older"): keys[ref("older")]}


def test_a_hand_from_before_the_ramp_stays_with_its_weight_and_its_end() -> None:
    look = Look(overrides=(override("new", expires_at=1600.0),), weights={"old": 95.0, "new": 5.0})
    stage = at_half(look)
    assert stage.saved["new"] == 5.0
    look.overrides = (override("new", number="mine", expires_at=9000.0),)  # it took the former one over
    (intent,) = ramping.back(stage, look.wait(100.0), "k", "why")
    assert intent.action == SetWeight(5.0)  # a restore would undo the operator's own weight too
    assert intent.ttl_s == 500.0


def test_a_trip_that_came_meanwhile_is_not_undone() -> None:
    look = Look()
    stage = at_half(look)
    look.overrides = (override("new", plan=weight_plan("new", "weight", "blocked"), expires_at=2000.0),)
    (intent,) = ramping.back(stage, look, "k", "why")
    assert intent.action == SetWeight(0.0)


def test_what_is_back_already_needs_nothing() -> None:
    look = Look()
    stage = at_half(look)
    look.weights["new"] = 0.0  # its override has expired
    assert ramping.back(stage, look, "k", "why") == ()


def test_the_end_says_what_holds_until_when() -> None:
    look = Look(weights={"old": 90.0, "older": 10.0, "new": 100.0})
    stage = at_whole(look)
    look.overrides = (override("new", expires_at=1000.0 + 2760), override("old", number="o2", expires_at=1000.0 + 2700))
    words = ramping.ending(stage, look)
    assert words.startswith("new has 100 % of chat")
    assert words.endswith("the weight of old in 45 min; the weight of new in 46 min")
