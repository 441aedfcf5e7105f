"""The forms of answers: new ones, our own new ones, and known ones in another mixture."""

import random
from collections import Counter
from collections.abc import Callable

import msgspec

from console.domain.alerts import Severity
from console.domain.answers import Answers, Group
from console.engine.detectors.shape import OutputShape
from tests.unit.engine.detectors.answered import Platform, Row

CALLS = 12


def forms(
    new: float = 0.0,
    ill: Callable[[Group], bool] = lambda _: True,
    mixture: tuple[float, ...] = (0.7, 0.2, 0.1),
    prompt: str = "ask@1",
) -> Row:
    """Three known forms in a mixture, and a new one in part of the answers where `ill`."""

    def row(group: Group, at: float, chance: random.Random) -> Answers:
        drawn = Counter(chance.choices("abc", mixture, k=CALLS))
        if ill(group):
            for form in list(drawn.elements()):
                if chance.random() < new:
                    drawn[form] -= 1
                    drawn["new"] += 1
        group = msgspec.structs.replace(group, prompt=prompt)
        return Answers(at=at, group=group, calls=CALLS, shapes={form: n for form, n in drawn.items() if n})

    return row


def test_a_new_form_is_found_with_its_deployment_and_is_over_when_it_is_gone() -> None:
    platform = Platform(OutputShape())
    for _ in range(4):
        assert platform.pass_(60, forms()) == []
    ill = forms(0.1, lambda group: group.deployment == "chat-azure")
    (found,) = platform.pass_(15, ill, until_found=True)
    assert (found.rule, found.severity, found.ref.name) == ("output-shape", Severity.TICKET, "chat-azure")
    assert "have a form that was not seen before" in found.words
    (later,) = platform.pass_(100, ill)
    assert later.ref == found.ref, "what is ill is not learnt"
    assert platform.pass_(30, forms()) == []


def test_a_form_that_comes_with_our_own_new_prompt_is_a_notice_and_soon_the_usual_one() -> None:
    platform = Platform(OutputShape())
    platform.pass_(120, forms())
    (found,) = platform.pass_(15, forms(0.5, prompt="ask@2"), until_found=True)
    assert found.severity is Severity.NOTICE
    assert "our own release: prompt ask@2" in found.words
    assert platform.pass_(180, forms(0.5, prompt="ask@2")) == []


def test_known_forms_in_another_mixture_are_a_notice() -> None:
    platform = Platform(OutputShape())
    for _ in range(8):
        assert platform.pass_(60, forms()) == []
    found = platform.pass_(60, forms(mixture=(0.2, 0.3, 0.5)), until_found=True)
    assert found
    assert {one.severity for one in found} == {Severity.NOTICE}
    assert "in another mixture" in found[0].words


def test_what_was_learnt_is_remembered_and_more_traffic_is_nothing() -> None:
    platform = Platform(OutputShape())
    platform.pass_(60, forms())
    after = OutputShape()
    after.recall(platform.detector.remember(), platform.now)  # type: ignore[attr-defined]
    after.recall(b"{}", platform.now)
    platform.detector = after
    assert after.state(platform.now).watching == 8
    assert platform.pass_(20, forms(0.3), until_found=True)
