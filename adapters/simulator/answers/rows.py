"""One row: what one group's calls answered in a minute, as counts drawn from its rates."""

import math
import random
from dataclasses import dataclass
from typing import Final

from adapters.simulator.answers.draws import binomial, multinomial, poisson
from adapters.simulator.answers.flows import Flow
from adapters.simulator.answers.forms import NEW_TOOL, TOOL, TOOLS, called_shapes, forms_of, name_of, new_form_of
from adapters.simulator.answers.manner import Flaw
from adapters.simulator.answers.rates import AGAIN, ROUNDS_MOST, Rates, window_of
from adapters.simulator.habits import LOOP_CALLS, OVERFLOW_TOKENS
from adapters.simulator.supply import SPREAD
from adapters.spans.answering.shapes import PROSE
from console.domain.answers import Answers, Finish, Group

MEDIAN: Final = 1.2533
"""The standard deviation of a median as a factor on that of a mean."""

TOKEN_SPREAD: Final = 0.2
"""Standard deviation of the logarithm of the seconds for a token."""

LENGTH_SPREAD: Final = 0.6
"""Standard deviation of a text's length as a part of its mean."""

TOKENIZED: Final = 0.04
"""Standard deviation of a text's tokens per character, as a part of the mean."""

LONGEST: Final = 4.0
"""99th percentile of the input's length as a factor on its mean."""

SCORED: Final = 0.06
"""Standard deviation of a best document's score."""

LOOP_S: Final = 2.5
"""Seconds from one call of a request that goes round in a circle to the next."""

ONCE: Final = 0.98
"""The chance that an agent that is well never calls a tool twice with the same arguments in one request."""

_REASONS: Final = (Finish.REFUSAL, Finish.EMPTY, Finish.LENGTH, Finish.TOOL_CALLS, Finish.STOP)


@dataclass(slots=True)
class Scene:
    """What a group's minute is drawn from."""

    flow: Flow
    group: Group
    rates: Rates
    usual: Rates
    """The same when nothing is wrong."""
    weights: tuple[float, ...]
    """Of the route's forms."""
    chance: random.Random
    """The group's own."""


@dataclass(slots=True)
class Drawn:
    """A row, and what in it is worth an example."""

    row: Answers
    flaws: list[Flaw]
    """The strangest first."""


def draw(scene: Scene, at: float) -> Drawn | None:
    """A group's minute that ended at `at`; None when it had no call."""
    flow, chance = scene.flow, scene.chance
    overflows = poisson(chance, flow.too_long)
    calls = poisson(chance, flow.calls)
    if calls + overflows == 0:
        return None
    good = calls - binomial(chance, calls, flow.fail)
    return _drawn(scene, at, calls, good, overflows)


def _drawn(scene: Scene, at: float, calls: int, good: int, overflows: int) -> Drawn:
    flow, rates, chance = scene.flow, scene.rates, scene.chance
    failed = calls - good
    said = 1.0 - rates.refused - rates.empty - rates.cut
    tools = rates.tools * max(0.0, said)
    counts = multinomial(
        chance, good, (rates.refused, rates.empty, rates.cut, tools, max(0.0, said - tools))
    )  # fmt: skip
    refused, empty, cut, called, stopped = counts
    finish = {reason: count for reason, count in zip(_REASONS, counts, strict=True) if count}
    if overflows + failed:
        finish[Finish.ERROR] = overflows + failed
    formed = binomial(chance, stopped, rates.structured)
    structured = formed + called
    unparsed = binomial(chance, structured, rates.unparsed)
    shapes = _shapes(scene, formed, called, min(unparsed, formed))
    prose = stopped - formed + cut + refused + min(unparsed, formed)
    if prose:
        shapes[PROSE] = prose
    texts = stopped + cut
    strange = binomial(chance, texts, rates.strange)
    spec = flow.deployment.spec
    chars, tokens_in = _input(scene, good)
    tokens_out = _about(chance, spec.tokens_out * good, LENGTH_SPREAD, good)
    billed = round(overflows * spec.tokens_in * OVERFLOW_TOKENS * flow.deployment.tokens)
    requests, most, repeats, loops = _rounds(scene, calls)
    searched = requests if "retrieval" in flow.stream.route.spec.around else 0
    nothing = binomial(chance, searched, rates.no_documents)
    flaws = [
        flaw
        for flaw, count in (
            (Flaw.LOOP, loops), (Flaw.UNPARSED, unparsed), (Flaw.REFUSED, refused), (Flaw.EMPTY, empty),
            (Flaw.STRANGE, strange), (Flaw.NEW_SHAPE, round(rates.new_shape * structured)), (Flaw.OVERFLOW, overflows),
            (Flaw.NO_DOCUMENTS, nothing), (Flaw.FAILED, failed),
        )
        if count
    ]  # fmt: skip
    row = Answers(
        at=at,
        group=scene.group,
        calls=calls + overflows,
        failed=failed + overflows,
        finish=finish,
        shapes=shapes,
        structured=structured,
        unparsed=unparsed,
        strange_script=strange,
        with_text=texts,
        tokens_in=tokens_in + billed,
        tokens_out=tokens_out,
        chars_in=chars,
        tokens_of_chars=tokens_in,
        fill_p99=_fill(scene, calls, overflows),
        overflows=overflows,
        usd=round(((tokens_in + billed) * spec.usd_in_per_m + tokens_out * spec.usd_out_per_m) / 1e6, 6),
        ttft_p50_s=_median(chance, flow.deployment.ttft_s, SPREAD, good),
        s_per_token_p50=_median(chance, flow.deployment.s_per_token, TOKEN_SPREAD, good, 6),
        requests=requests + min(overflows, round(0.5 * overflows + 0.5)),
        calls_most=max(most, min(overflows, 2)),
        repeats_most=repeats,
        retrievals=searched,
        empty_retrievals=nothing,
        top_score_p50=_score(scene, searched - nothing),
    )
    return Drawn(row, flaws)


def _shapes(scene: Scene, formed: int, called: int, unparsed: int) -> dict[str, int]:
    """How many answers have which form; those that are not of their form count as prose."""
    chance, fresh = scene.chance, scene.rates.new_shape
    found: dict[str, int] = {}
    fine = formed - unparsed
    new = binomial(chance, fine, fresh)
    route = scene.flow.stream.route.spec.name
    for form, count in zip(forms_of(route), multinomial(chance, fine - new, scene.weights), strict=True):
        if count:
            found[name_of(form)] = count
    if new:
        found[name_of(new_form_of(route))] = new
    other = binomial(chance, called, fresh)
    for form, count in ((TOOL, called - other), (NEW_TOOL, other)):
        each = multinomial(chance, count, [1.0 / len(TOOLS)] * len(TOOLS))
        found |= {shape: calls for shape, calls in zip(called_shapes(form), each, strict=True) if calls}
    return found


def _input(scene: Scene, calls: int) -> tuple[int, int]:
    """Characters and tokens of so many inputs."""
    if not calls:
        return 0, 0
    chance, spec, per_char = scene.chance, scene.flow.deployment.spec, scene.rates.tokens_per_char
    # The price list's tokens are those of the day on which nothing is wrong, whatever a fault makes of a character.
    chars = _about(
        chance, scene.flow.stream.bulk * spec.tokens_in / scene.usual.tokens_per_char * calls, LENGTH_SPREAD, calls
    )
    return chars, _about(chance, chars * per_char, TOKENIZED, calls)


def _about(chance: random.Random, mean: float, spread: float, many: int) -> int:
    """A sum of `many` numbers whose mean is known, with their spread as a part of it."""
    if many <= 0:
        return 0
    return max(0, round(mean * (1.0 + spread / math.sqrt(many) * chance.gauss(0.0, 1.0))))


def _median(chance: random.Random, value: float, spread: float, many: int, digits: int = 4) -> float | None:
    """A median of `many` measurements; None when there are none."""
    if many <= 0:
        return None
    return round(value * math.exp(MEDIAN * spread / math.sqrt(many) * chance.gauss(0.0, 1.0)), digits)


def _fill(scene: Scene, calls: int, overflows: int) -> float | None:
    spec = scene.flow.deployment.spec
    if overflows * 100 > calls:
        return round(1.0 + 0.2 * scene.chance.random(), 4)
    if not calls:
        return None
    longest = LONGEST * spec.tokens_in * scene.flow.stream.bulk / window_of(spec)
    return round(min(1.0, longest * (1.0 + 0.15 * scene.chance.gauss(0.0, 1.0) / math.sqrt(1.0 + calls / 20.0))), 4)


def _rounds(scene: Scene, calls: int) -> tuple[int, int, int, int]:
    """(requests, calls of the one that made the most, how often it called one tool with the same arguments, loops)."""
    if not scene.rates.tools:
        return max(1, calls - round(calls * scene.flow.fail)), 1 + (scene.flow.fail > 0.02), 0, 0
    chance, loop = scene.chance, scene.rates.loop
    ordinary = (1.0 - AGAIN) * calls * (1.0 - loop) / (1.0 - loop + loop * LOOP_CALLS)
    requests = max(1, round(ordinary))
    # The most of many geometric numbers, with one random number.
    longest = max(1e-9, 1.0 - chance.random() ** (1.0 / requests))
    most = min(ROUNDS_MOST, 1 + int(math.log(longest) / math.log(AGAIN)))
    repeats = 2 if chance.random() > ONCE**requests else 1
    going = poisson(chance, calls * _looping(loop) * LOOP_S / 60.0)
    if going:
        most = round(60.0 / LOOP_S * (0.85 + 0.25 * chance.random()))
        repeats = most - int(2.0 * chance.random())
    return requests + going, most, repeats, going


def _looping(loop: float) -> float:
    """The part of the calls that requests make that go round in a circle."""
    return loop * LOOP_CALLS / (1.0 - loop + loop * LOOP_CALLS)


def _score(scene: Scene, found: int) -> float | None:
    if found <= 0:
        return None
    value = scene.rates.score + MEDIAN * SCORED / math.sqrt(found) * scene.chance.gauss(0.0, 1.0)
    return round(min(1.0, max(0.0, value)), 4)
