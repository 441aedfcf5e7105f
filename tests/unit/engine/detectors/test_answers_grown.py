"""Parts of the answers that grow: unparsed, refused, empty, in strange letters, too long."""

import random
from collections.abc import Callable

import msgspec
import pytest

from console.domain.alerts import Aspect, Severity
from console.domain.answers import Answers, Finish, Group
from console.domain.refs import Kind, Ref
from console.engine.detectors import groups, grown
from console.engine.detectors.finish import FinishReasons
from console.engine.detectors.overflow import ContextOverflow
from console.engine.detectors.script import StrangeScript
from console.engine.detectors.unparsed import Unparsed
from tests.unit.engine.detectors.answered import Judge, Platform, Row, hits

CALLS = 20


def unparsed(part: float, ill: Callable[[Group], bool] = lambda _: True, build: str = "") -> Row:
    """Answers of which `part` cannot be parsed where `ill`, 1 % elsewhere."""

    def row(group: Group, at: float, chance: random.Random) -> Answers:
        bad = hits(chance, CALLS, part if ill(group) else 0.01)
        if build and ill(group):
            group = msgspec.structs.replace(group, fingerprint=build)
        examples = (f"{bad:032x}",) if bad else ()
        return Answers(at=at, group=group, calls=CALLS, structured=CALLS, unparsed=bad, examples=examples)

    return row


def test_a_format_that_drifts_is_found_with_its_deployment_and_its_build() -> None:
    platform = Platform(Unparsed())
    assert platform.pass_(90, unparsed(0.01)) == []
    ill = unparsed(0.08, lambda group: group.deployment == "chat-azure", build="fp_2b")
    (found,) = platform.pass_(15, ill, until_found=True)
    assert (found.rule, found.severity, found.aspect) == ("unparsed", Severity.TICKET, Aspect.ANSWERS)
    assert found.ref == Ref("gateway", Kind.DEPLOYMENT, "chat-azure")
    assert found.about is not None
    assert (found.about.fingerprint, found.about.tenant, found.about.service) == ("fp_2b", "", "")
    assert len(found.examples[0]) == 32
    assert "structured answers of chat-azure cannot be parsed, usually 1" in found.words
    assert "with the build fp_2b, which was not seen before" in found.words
    (later,) = platform.pass_(60, ill)
    assert (later.ref, later.about) == (found.ref, found.about)
    assert later.value == pytest.approx(0.08, abs=0.03)
    assert platform.pass_(30, unparsed(0.01)) == []


@pytest.mark.parametrize(
    ("ill", "about", "ref"),
    [
        (lambda g: g.provider == "azure", Group(provider="azure"), Ref("calls", Kind.SERVICE, "web")),
        (lambda g: g.tenant == "acme", Group(tenant="acme"), None),
        (lambda g: g.service == "agent", Group(service="agent"), Ref("calls", Kind.SERVICE, "agent")),
        (lambda g: g.tenant == "acme" and g.provider == "azure", Group(tenant="acme", provider="azure"), None),
    ],
    ids=["provider", "tenant", "service", "tenant at a provider"],
)
def test_what_ill_calls_share_is_named_and_nothing_else(
    ill: Callable[[Group], bool], about: Group, ref: Ref | None
) -> None:
    platform = Platform(Unparsed())
    platform.pass_(45, unparsed(0.01))
    (found,) = platform.pass_(15, unparsed(0.15, ill), until_found=True)
    assert found.about is not None
    assert found.about == about
    if about.service:
        assert found.ref == ref


def test_more_traffic_and_another_mix_of_it_change_nothing() -> None:
    def row(surge: float) -> Row:
        def of(group: Group, at: float, chance: random.Random) -> Answers:
            calls = CALLS * (10 if surge and group.tenant == "acme" else 1)
            bad = hits(chance, calls, 0.05 if group.tenant == "acme" else 0.005)
            return Answers(at=at, group=group, calls=calls, structured=calls, unparsed=bad)

        return of

    platform = Platform(Unparsed())
    platform.pass_(60, row(0.0))
    for _ in range(4):
        assert platform.pass_(10, row(10.0)) == []


def test_two_quiet_days_are_quiet_and_what_was_learnt_is_remembered() -> None:
    platform = Platform(Unparsed(), seed=3)

    def row(group: Group, at: float, chance: random.Random) -> Answers:
        return Answers(at=at, group=group, calls=2, structured=2, unparsed=hits(chance, 2, 0.01))

    for _ in range(48):
        assert platform.pass_(60, row) == []
    detector = Unparsed()
    detector.recall(platform.detector.remember(), platform.now)  # type: ignore[attr-defined]
    detector.recall(b"no memory", platform.now)
    state = detector.state(platform.now)
    assert (state.watching, state.learning) == (8, 0)
    platform.detector = detector
    assert platform.pass_(20, unparsed(0.1, lambda group: group.deployment == "chat-azure"), until_found=True)


def test_what_has_lasted_for_a_day_is_usual_then() -> None:
    platform = Platform(Unparsed())
    platform.pass_(45, unparsed(0.01))
    ill = unparsed(0.12, lambda group: group.deployment == "chat-azure")
    assert platform.pass_(1400, ill)
    platform.pass_(60, ill)
    assert platform.pass_(60, ill) == []


def test_what_is_known_does_not_grow_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grown, "FLOWS_MOST", 40)
    monkeypatch.setattr(groups, "FLOWS_MOST", 40)
    detector = Unparsed()
    platform = Platform(detector)

    def row(group: Group, at: float, chance: random.Random) -> Answers:
        build = msgspec.structs.replace(group, fingerprint=f"fp_{at}", tenant=f"t{at}")
        return Answers(at=at, group=build, calls=1, structured=1)

    platform.pass_(120, row)
    known = detector.grown.sources["calls"]
    assert len(known.flows) <= 40
    assert len(known.cells) <= 40 * len(grown.GROUPED_BY)
    assert len(known.usual) <= 2 * 2 * 40


def test_nothing_is_said_of_what_was_hardly_seen() -> None:
    detector = Unparsed()
    platform = Platform(detector)
    assert platform.pass_(3, unparsed(0.5)) == []
    state = detector.state(platform.now)
    assert (state.watching, state.learning) == (0, 8)
    assert "agent on chat-openai: 120 of 300 structured answers seen" in state.unknown


def finished(reason: Finish, part: float) -> Row:
    def row(group: Group, at: float, chance: random.Random) -> Answers:
        bad = hits(chance, CALLS, part if group.provider == "anthropic" else 0.003)
        return Answers(at=at, group=group, calls=CALLS, finish={Finish.STOP: CALLS - bad, reason: bad})

    return row


def strange(part: float) -> Row:
    def row(group: Group, at: float, chance: random.Random) -> Answers:
        bad = hits(chance, CALLS, part if group.provider == "anthropic" else 0.003)
        return Answers(at=at, group=group, calls=CALLS, with_text=CALLS, strange_script=bad)

    return row


def too_long(part: float) -> Row:
    def row(group: Group, at: float, chance: random.Random) -> Answers:
        bad = hits(chance, CALLS, part if group.provider == "anthropic" else 0.003)
        return Answers(at=at, group=group, calls=CALLS, overflows=bad)

    return row


@pytest.mark.parametrize(
    ("detector", "row", "rule"),
    [
        (FinishReasons(), lambda part: finished(Finish.REFUSAL, part), "finish/content_filter"),
        (FinishReasons(), lambda part: finished(Finish.EMPTY, part), "finish/empty_stop"),
        (FinishReasons(), lambda part: finished(Finish.LENGTH, 2 * part), "finish/length"),
        (StrangeScript(), strange, "script"),
        (ContextOverflow(), too_long, "context-overflow"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_each_reason_is_told_under_its_own_name(detector: Judge, row: Callable[[float], Row], rule: str) -> None:
    platform = Platform(detector)
    assert platform.pass_(45, row(0.003)) == []
    (found,) = platform.pass_(25, row(0.06), until_found=True)
    assert found.rule == rule
    assert found.ref.name == "chat-anthropic"
