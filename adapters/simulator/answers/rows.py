"""One row: what one group's calls answered in a minute, as counts drawn from its rates."""

import math
import random
from dataclasses import dataclass
from typing import Final, NamedTuple

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
    said = _say(scene, calls - binomial(chance, calls, flow.fail))
    asked = _ask(scene, calls)
    row = _row(scene, at, (calls, overflows), said, asked)
    flaws = (
        (Flaw.LOOP, asked.loops), (Flaw.UNPARSED, said.unparsed), (Flaw.REFUSED, said.refused),
        (Flaw.EMPTY, said.empty), (Flaw.STRANGE, said.strange), (Flaw.NEW_SHAPE, said.new), (Flaw.OVERFLOW, overflows),
        (Flaw.NO_DOCUMENTS, asked.nothing), (Flaw.FAILED, calls - said.good),
    )  # fmt: skip
    return Drawn(row, [flaw for flaw, count in flaws if count])


class _Asked(NamedTuple):
    """The requests that the calls belong to."""

    requests: int
    most: int
    """Calls of the one that made the most."""
    repeats: int
    """How often one of them called one tool with the same arguments, at the most."""
    loops: int
    """Those of them that go round in a circle."""
    searched: int
    nothing: int
    """Searches that found nothing."""


def _ask(scene: Scene, calls: int) -> _Asked:
    requests, most, repeats, loops = _rounds(scene, calls)
    searched = requests if "retrieval" in scene.flow.stream.route.spec.around else 0
    return _Asked(requests, most, repeats, loops, searched, binomial(scene.chance, searched, scene.rates.no_documents))


class _Said(NamedTuple):
    """What the calls that did not fail said."""

    good: int
    refused: int
    empty: int
    texts: int
    strange: int
    structured: int
    unparsed: int
    new: int
    finish: dict[Finish, int]
    shapes: dict[str, int]


def _say(scene: Scene, good: int) -> _Said:
    rates, chance = scene.rates, scene.chance
    rest = max(0.0, 1.0 - rates.refused - rates.empty - rates.cut)
    parts = (rates.refused, rates.empty, rates.cut, rates.tools * rest, (1.0 - rates.tools) * rest)
    counts = multinomial(chance, good, parts)
    refused, empty, cut, called, stopped = counts
    formed = binomial(chance, stopped, rates.structured)
    unparsed = binomial(chance, formed + called, rates.unparsed)
    # What is not of its form counts as prose.
    broken = min(unparsed, formed)
    new = binomial(chance, formed - broken, rates.new_shape), binomial(chance, called, rates.new_shape)
    shapes = _shapes(scene, formed - broken, called, new)
    if prose := stopped - formed + broken + cut + refused:
        shapes[PROSE] = prose
    return _Said(
        good=good,
        refused=refused,
        empty=empty,
        texts=stopped + cut,
        strange=binomial(chance, stopped + cut, rates.strange),
        structured=formed + called,
        unparsed=unparsed,
        new=sum(new),
        finish={reason: count for reason, count in zip(_REASONS, counts, strict=True) if count},
        shapes=shapes,
    )


def _row(scene: Scene, at: float, asked: tuple[int, int], said: _Said, requests: _Asked) -> Answers:
    """The row of so many calls and of so many that were too long."""
    (calls, overflows), flow, chance, good = asked, scene.flow, scene.chance, said.good
    failed, spec = calls - good + overflows, flow.deployment.spec
    chars, tokens_in = _input(scene, good)
    tokens_out = _about(chance, spec.tokens_out * good, LENGTH_SPREAD, good)
    billed = tokens_in + round(overflows * spec.tokens_in * OVERFLOW_TOKENS * flow.deployment.tokens)
    return Answers(
        at=at,
        group=scene.group,
        calls=calls + overflows,
        failed=failed,
        finish=said.finish | ({Finish.ERROR: failed} if failed else {}),
        shapes=said.shapes,
        structured=said.structured,
        unparsed=said.unparsed,
        strange_script=said.strange,
        with_text=said.texts,
        tokens_in=billed,
        tokens_out=tokens_out,
        chars_in=chars,
        tokens_of_chars=tokens_in,
        fill_p99=_fill(scene, calls, overflows),
        overflows=overflows,
        usd=round((billed * spec.usd_in_per_m + tokens_out * spec.usd_out_per_m) / 1e6, 6),
        ttft_p50_s=_median(chance, flow.deployment.ttft_s, SPREAD, good),
        s_per_token_p50=_median(chance, flow.deployment.s_per_token, TOKEN_SPREAD, good, 6),
        # Each of them is sent twice a minute.
        requests=requests.requests + (overflows + 1) // 2,
        calls_most=max(requests.most, min(overflows, 2)),
        repeats_most=requests.repeats,
        retrievals=requests.searched,
        empty_retrievals=requests.nothing,
        top_score_p50=_score(scene, requests.searched - requests.nothing),
    )


def _shapes(scene: Scene, formed: int, called: int, new: tuple[int, int]) -> dict[str, int]:
    """How many structured answers and tool calls have which form; `new` of each have one that nobody knows."""
    chance, route = scene.chance, scene.flow.stream.route.spec.name
    counts = multinomial(chance, formed - new[0], scene.weights)
    found = {name_of(form): count for form, count in zip(forms_of(route), counts, strict=True) if count}
    if new[0]:
        found[name_of(new_form_of(route))] = new[0]
    for form, count in ((TOOL, called - new[1]), (NEW_TOOL, new[1])):
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
