"""What answers cost and stand on: tokens a character, retrieval, requests in a circle, new builds."""

import random
from collections.abc import Callable

import msgspec
import pytest

from console.domain.alerts import Aspect, Severity
from console.domain.answers import Answers, Group
from console.domain.refs import Kind, Ref
from console.engine.detectors.loops import AgentLoop
from console.engine.detectors.retrieval import Retrieval
from console.engine.detectors.tokens import TokensPerCharacter
from console.engine.detectors.upstream import UpstreamChange
from tests.unit.engine.detectors.answered import Platform, Row, hits

CALLS = 10
Ill = Callable[[Group], bool]


def azure(group: Group) -> bool:
    return group.deployment == "chat-azure"


def tokens(factor: float, ill: Ill = azure, prompt: str = "ask@1") -> Row:
    """0.25 tokens a character, `factor` times as many where `ill`; the length of texts varies."""

    def row(group: Group, at: float, chance: random.Random) -> Answers:
        chars = round(CALLS * 2000 * chance.uniform(0.5, 2.0))
        made = chars * 0.25 * (factor if ill(group) else 1.0) * chance.gauss(1.0, 0.04 / CALLS**0.5)
        group = msgspec.structs.replace(group, prompt=prompt)
        return Answers(at=at, group=group, calls=CALLS, chars_in=chars, tokens_of_chars=round(made))

    return row


def test_a_tokeniser_that_makes_more_of_the_same_text_is_found_with_its_deployment() -> None:
    platform = Platform(TokensPerCharacter())
    for _ in range(6):
        assert platform.pass_(30, tokens(1.0)) == []
    (found,) = platform.pass_(10, tokens(1.12), until_found=True)
    assert (found.rule, found.severity, found.aspect) == ("tokens", Severity.TICKET, Aspect.COST)
    assert found.ref == Ref("gateway", Kind.DEPLOYMENT, "chat-azure")
    assert " tokens a character, usually 0.25" in found.words
    assert platform.pass_(45, tokens(1.0)) == []


def test_a_tokeniser_that_makes_a_little_more_and_a_new_prompt_are_nothing() -> None:
    platform = Platform(TokensPerCharacter())
    platform.pass_(60, tokens(1.0))
    for _ in range(3):
        assert platform.pass_(20, tokens(1.02)) == []
        assert platform.pass_(20, tokens(1.4, prompt="ask@2")) == [], "another prompt has other words"


def searching(nothing: float, score: float, ill: Ill = lambda _: True) -> Row:
    def row(group: Group, at: float, chance: random.Random) -> Answers | None:
        if group.service != "web":
            return None
        bad = ill(group)
        return Answers(
            at=at,
            group=group,
            calls=CALLS,
            retrievals=CALLS,
            empty_retrievals=hits(chance, CALLS, nothing if bad else 0.02),
            top_score_p50=(score if bad else 0.8) + chance.gauss(0.0, 0.02),
        )

    return row


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (searching(0.25, 0.8), "of searches for all calls find nothing, usually 2"),
        (searching(0.02, 0.6), "scores 0."),
    ],
    ids=["nothing found", "what is found fits worse"],
)
def test_retrieval_that_gets_worse_is_told_once_on_the_service(row: Row, words: str) -> None:
    platform = Platform(Retrieval())
    assert platform.pass_(90, searching(0.02, 0.8)) == []
    (found,) = platform.pass_(20, row, until_found=True)
    assert (found.rule, found.aspect) == ("retrieval", Aspect.ANSWERS)
    assert found.ref == Ref("calls", Kind.SERVICE, "web")
    assert words in found.words
    assert platform.pass_(60, searching(0.02, 0.8)) == []


def looping(repeats: int, calls: int, every: int = 1) -> Row:
    def row(group: Group, at: float, chance: random.Random) -> Answers:
        loops = group.tenant == "acme" and group.service == "agent" and int(at / 60.0) % every == 0
        return Answers(
            at=at,
            group=group,
            calls=CALLS + loops * calls,
            usd=0.5 if loops else 0.01,
            calls_most=calls if loops else chance.randint(1, 6),
            repeats_most=repeats if loops else 1,
            repeating="a" * 32 if loops else "",
        )

    return row


def test_requests_in_a_circle_are_told_with_whose_they_are_and_what_they_cost() -> None:
    platform = Platform(AgentLoop())
    assert platform.pass_(60, looping(1, 4)) == []
    (found,) = platform.pass_(5, looping(22, 24), until_found=True)
    assert (found.rule, found.severity, found.aspect) == ("agent-loop", Severity.TICKET, Aspect.COST)
    assert found.ref == Ref("calls", Kind.SERVICE, "agent")
    assert found.about is not None
    assert (found.about.tenant, found.about.service) == ("acme", "agent")
    assert found.examples == ("a" * 32,)
    assert "called one tool 22 times with the same arguments" in found.words
    assert "$" in found.words
    assert platform.pass_(15, looping(1, 4)) == []


def test_far_more_calls_than_usual_are_a_loop_even_where_tools_are_not_recorded() -> None:
    platform = Platform(AgentLoop())
    platform.pass_(60, looping(0, 4))
    (found,) = platform.pass_(5, looping(0, 40), until_found=True)
    assert found.value == 40.0


def test_a_single_request_that_stumbles_is_nothing() -> None:
    platform = Platform(AgentLoop())
    platform.pass_(60, looping(1, 4))
    for _ in range(40):
        assert platform.pass_(1, looping(6, 8, every=20)) == []


def test_a_new_build_is_a_notice_on_its_deployment_for_a_while() -> None:
    platform = Platform(UpstreamChange())

    def row(build: str) -> Row:
        def of(group: Group, at: float, chance: random.Random) -> Answers:
            return Answers(at=at, group=msgspec.structs.replace(group, fingerprint=build), calls=1)

        return of

    assert platform.pass_(20, row("fp_1")) == []
    found = platform.pass_(1, row("fp_2"))
    assert {one.ref.name for one in found} == {"chat-openai", "chat-azure", "fast-azure", "chat-anthropic"}
    assert {one.severity for one in found} == {Severity.NOTICE}
    assert "another build fp_2, before fp_1" in found[0].words
    assert platform.pass_(10, row("fp_1")) != [], "what was seen before is nothing new"
    after = UpstreamChange()
    after.recall(platform.detector.remember(), platform.now)  # type: ignore[attr-defined]
    platform.detector = after
    assert platform.pass_(30, row("fp_2")) == []
