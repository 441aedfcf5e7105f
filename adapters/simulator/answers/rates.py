"""How often what happens in one group's model calls: what is usual for it, and what faults make of that."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from adapters.simulator.answers.forms import deviate
from adapters.simulator.faults import NEUTRAL, Fault
from adapters.simulator.platform import DeploymentSpec, RouteSpec
from adapters.simulator.world import World

INDEX: Final = "knowledge-base"
"""The retrieval index of every simulated platform, as traces call it."""

AGAIN: Final = 0.38
"""The chance that an agent calls its model once more."""

ROUNDS_MOST: Final = 8
"""An agent's calls in one request when all is well, at the most."""

WINDOW: Final = {"gpt-5": 400_000, "gpt-5-mini": 400_000}
"""Models' windows in tokens."""

OTHER_WINDOW: Final = 200_000
"""The window of all other models."""

BUILD_S: Final = 4.0 * 86_400.0
"""A provider changes the build of a model about this often, and nothing else changes with it."""

_PER_CHAR: Final = {"gpt-5": 0.238, "gpt-5-mini": 0.238, "claude": 0.272, "mistral": 0.259}
"""Tokens per character of ordinary text, by the beginning of a model's name."""

_FAULTS: Final = (
    Fault.UNPARSED, Fault.SHAPE, Fault.REFUSALS, Fault.EMPTY, Fault.STRANGE_SCRIPT, Fault.TOKENIZER, Fault.FINGERPRINT,
    Fault.EMPTY_RETRIEVAL, Fault.SCORE, Fault.LOOP,
)  # fmt: skip
"""Those that show in what a call answers, beside those that show in the flows."""

_FIELDS: Final = {
    Fault.UNPARSED: "unparsed",
    Fault.REFUSALS: "refused",
    Fault.EMPTY: "empty",
    Fault.STRANGE_SCRIPT: "strange",
    Fault.EMPTY_RETRIEVAL: "no_documents",
    Fault.SHAPE: "new_shape",
    Fault.LOOP: "loop",
}
"""Faults that say themselves how often something happens, and where that stands."""

Hits = Mapping[Fault, float]
"""Faults that hit one group, with their values; those that do not are not in it."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What is to be expected of one group's calls. Parts are 0 to 1."""

    refused: float
    """Part of the answers that are refusals."""
    empty: float
    """Part that stop with nothing in them."""
    cut: float
    """Part that end because they are too long."""
    tools: float
    """Part of the others that call a tool."""
    structured: float
    """Part of the rest that has to be JSON."""
    unparsed: float
    """Part of what has to be of a form and is not."""
    strange: float
    """Part of the texts with letters of another script."""
    tokens_per_char: float
    no_documents: float
    """Part of the searches that find nothing."""
    score: float
    """Median of the best document's score."""
    new_shape: float = 0.0
    """Part of the structured answers that have a form that nobody knows."""
    loop: float = 0.0
    """Part of the requests that go round in a circle."""


def usual(route: RouteSpec, spec: DeploymentSpec, tenant: str) -> Rates:
    """A group's rates on a day on which nothing is wrong; the same each time."""
    agent = "tool" in route.around

    def near(value: float, what: str, spread: float = 0.2) -> float:
        return value * math.exp(spread * deviate(f"{what} {route.name} {tenant}"))

    return Rates(
        refused=near(0.003, "refused"),
        empty=near(0.001, "empty"),
        cut=near(0.012, "cut", 0.4),
        tools=1.0 / (1.0 + AGAIN) if agent else 0.0,
        structured=0.1 if agent else near(0.3, "structured", 0.35),
        unparsed=near(0.004, "unparsed", 0.12),
        strange=near(0.004, "strange"),
        tokens_per_char=_per_char(spec.model) * math.exp(0.02 * deviate(f"language {tenant}")),
        no_documents=near(0.018, "documents"),
        score=0.81 + 0.02 * deviate(f"score {route.name}"),
    )


def _per_char(model: str) -> float:
    return next((value for name, value in _PER_CHAR.items() if model.startswith(name)), 0.25)


def targets_of(spec: DeploymentSpec, route: RouteSpec, tenant: str, service: str) -> tuple[str, ...]:
    """All that a group's calls are, as faults name their targets."""
    named = (
        f"deployment/{spec.name}", f"provider/{spec.provider}", f"model/{spec.model}", f"route/{route.name}",
        f"tenant/{tenant}", f"service/{service}", "gateway",
    )  # fmt: skip
    return (*named, f"index/{INDEX}") if "retrieval" in route.around else named


def acting(world: World) -> tuple[Fault, ...]:
    """Which of them hit anybody at this moment; none, on most days."""
    return tuple(fault for fault in _FAULTS if world.hits(fault))


def hits(world: World, faults: Sequence[Fault], targets: tuple[str, ...]) -> Hits:
    """What hits somebody who is all of `targets` at this moment, of the faults that hit anybody."""
    found = {fault: world.fault(fault, *targets) for fault in faults}
    return {fault: value for fault, value in found.items() if value != NEUTRAL[fault]}


def together(parts: Sequence[tuple[float, Hits]]) -> Hits:
    """What hits a group over a while: the mean of what did in each part of it, (seconds, hits)."""
    total = sum(seconds for seconds, _ in parts)
    found = {fault for _, hit in parts for fault in hit}
    mean = {fault: sum(seconds * hit.get(fault, NEUTRAL[fault]) for seconds, hit in parts) / total for fault in found}
    if Fault.FINGERPRINT in mean:
        mean[Fault.FINGERPRINT] = parts[-1][1].get(Fault.FINGERPRINT, 0.0)  # a build is no matter of degree
    return mean


def struck(rates: Rates, hit: Hits) -> Rates:
    """Rates under faults: a part is at least what the fault says, a factor multiplies."""
    if not hit:
        return rates
    changed = {field: max(getattr(rates, field), hit[fault]) for fault, field in _FIELDS.items() if fault in hit}
    changed |= {
        field: getattr(rates, field) * hit[fault]
        for fault, field in ((Fault.TOKENIZER, "tokens_per_char"), (Fault.SCORE, "score"))
        if fault in hit
    }
    return replace(rates, **changed)


def build_of(spec: DeploymentSpec, hit: Hits, at: float) -> int:
    """The number of the build that answers at a deployment: new ones come now and then, and with faults."""
    every_s, phase = _releases(spec.provider, spec.model)
    return int(at / every_s + phase) + (round(hit[Fault.FINGERPRINT]) if Fault.FINGERPRINT in hit else 0)


@cache
def _releases(provider: str, model: str) -> tuple[float, float]:
    """(seconds from one build to the next, when the first comes, as a part of that)."""
    return BUILD_S * (1.0 + 0.25 * deviate(f"builds {provider} {model}")), 0.5 + 0.28 * deviate(f"{provider} {model}")


def window_of(spec: DeploymentSpec) -> int:
    """Tokens that a deployment's model takes in, at the most."""
    return WINDOW.get(spec.model, OTHER_WINDOW)
