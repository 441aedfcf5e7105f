"""How many requests the target and the others have had, and how many failed: rates, added up over time."""

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from console.domain.freshness import Freshness
from console.domain.readings import Deployment
from console.domain.refs import Ref
from console.domain.runbooks import RampStage
from console.engine.detectors.stats.proportions import clopper_pearson
from runbooks.ramp.sight import Sight
from runbooks.ramp.weights import WHOLE, Scene

SURELY = 0.999
"""Confidence of the share that is seen."""
GAP_S = 20.0
"""A longer time since the last look is filled from what is remembered of it; what nobody saw counts nothing."""
LATELY_S = 120.0
"""Response times are those of so many seconds at the most, and of the stage alone."""


def counted(stage: RampStage, scene: Scene, sight: Sight) -> RampStage:
    """The stage with what has flowed since the last look; nothing is added while the source is stale."""
    passed = sight.now - stage.at
    if passed <= 0 or sight.board.freshness(stage.target) is not Freshness.FRESH:
        return stage
    requests, errors = _flowed((stage.target,), sight, passed)
    others, failed = _flowed([scene.ref(slot.name) for slot in scene.others], sight, passed)
    return msgspec.structs.replace(
        stage,
        at=sight.now,
        requests=stage.requests + requests,
        errors=stage.errors + errors,
        others_requests=stage.others_requests + others,
        others_errors=stage.others_errors + failed,
        others_p95_s=others_p95(stage, scene, sight) or stage.others_p95_s,
    )


def _flowed(refs: Iterable[Ref], sight: Sight, seconds: float) -> tuple[float, float]:
    """(requests, errors) of some deployments in the last so many seconds."""
    requests = errors = 0.0
    for ref in refs:
        requests += _rate(ref, "requests_per_min", sight, seconds) * seconds / 60.0
        errors += _rate(ref, "errors_per_min", sight, seconds) * seconds / 60.0
    return requests, min(errors, requests)


def _rate(ref: Ref, metric: str, sight: Sight, seconds: float) -> float:
    """A rate a minute over the last so many seconds."""
    if seconds > GAP_S:
        means = sight.past(ref, metric, seconds)
        return sum(mean for mean in means if mean is not None) / len(means) if means else 0.0
    reading = sight.board.readings.get(ref)
    traffic = reading.traffic if isinstance(reading, Deployment) else None
    if traffic is None:
        return 0.0
    return traffic.requests_per_min if metric == "requests_per_min" else traffic.errors_per_min


def unheeded(stage: RampStage, scene: Scene, sight: Sight) -> str:
    """Why the weights seem not to decide: the target surely gets more than twice its share, or less than half of it.

    Not said while one of the others takes nothing, whose requests the target shares, and not of the last stage.
    """
    share = stage.shares[stage.index] / WHOLE
    if share >= 1.0 or not all(slot.takes for slot in scene.others if slot.weight):
        return ""
    mine = _rate(stage.target, "requests_per_min", sight, 0.0)
    whole = mine + sum(_rate(scene.ref(slot.name), "requests_per_min", sight, 0.0) for slot in scene.others)
    seen = clopper_pearson(mine, whole, SURELY)
    if seen.low <= 2.0 * share and seen.high >= 0.5 * share:
        return ""
    return (
        f"{mine / whole:.0%} of the requests reach it, not {WHOLE * share:g} %: does this gateway share requests out "
        "by weight?"
    )


def p95_of(ref: Ref, since: float, sight: Sight) -> float | None:
    """The usual one of a deployment's p95s lately (seconds): one window of few requests says little."""
    seen = _known(sight.past(ref, "p95_s", min(LATELY_S, max(1.0, sight.now - since))))
    reading = sight.board.readings.get(ref)
    if isinstance(reading, Deployment) and reading.latency is not None and reading.latency.p95_s is not None:
        seen.append(reading.latency.p95_s)
    return median(seen) if seen else None


def others_p95(stage: RampStage, scene: Scene, sight: Sight) -> float | None:
    """That of the others, each by its part of the requests; None while nothing flows there."""
    found, whole = 0.0, 0.0
    for slot in scene.others:
        rate = _rate(scene.ref(slot.name), "requests_per_min", sight, 0.0)
        p95 = p95_of(scene.ref(slot.name), stage.since, sight) if rate > 0 else None
        if p95 is not None:
            found, whole = found + rate * p95, whole + rate
    return found / whole if whole else None


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
