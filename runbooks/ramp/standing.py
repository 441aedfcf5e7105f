"""How a stage stands, in numbers, as one line."""

from console.domain.durations import words_of
from console.domain.runbooks import RampStage
from runbooks.ramp import room
from runbooks.ramp.counting import p95_of
from runbooks.ramp.sight import AnsweredBy, Sight
from runbooks.ramp.weights import Scene


def standing(stage: RampStage, scene: Scene, sight: Sight, answered: AnsweredBy) -> str:
    """`25 %: 134 of 300 requests, 2 min of 3 min; errors 0.7 % (others 0.9 %), p95 1.2 s (others 1.1 s), …`."""
    held = min(stage.wanted_s, sight.now - stage.since)
    return ", ".join((
        f"{stage.shares[stage.index]:g} %: {stage.requests:,.0f} of {stage.wanted_requests:,.0f} requests",
        f"{words_of(held)} of {words_of(stage.wanted_s)}; errors {_part(stage.errors, stage.requests)}"
        f" (others {_part(stage.others_errors, stage.others_requests)})",
        f"p95 {_seconds(p95_of(stage.target, stage.since, sight))} (others {_seconds(stage.others_p95_s)})",
        _answers(stage, answered),
        *([] if room.known(scene) else ["its rate limit is not known"]),
    ))  # fmt: skip


def _answers(stage: RampStage, answered: AnsweredBy) -> str:
    found = answered(stage.target.name, stage.since)
    if found is None:
        return "answers not seen"
    unparsed, refused = _part(found.unparsed, found.structured), _part(found.refused, found.answers)
    return f"answers that do not parse {unparsed}, refused {refused}"


def _part(bad: float, whole: float) -> str:
    return f"{bad / whole:.1%}" if whole > 0 else "none seen"


def _seconds(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3g} s"
