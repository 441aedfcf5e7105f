"""What ends a ramp at once: the target is surely worse than those that it takes the requests from."""

from console.domain.alerts import AlertState, Severity
from console.domain.circuit import Observed
from console.domain.health import BAD_ERROR_RATIO
from console.domain.refs import Kind, Ref
from console.domain.runbooks import RampStage
from console.domain.text import clean
from console.engine.answered import Answered
from console.engine.detectors.stats.proportions import clopper_pearson
from runbooks.ramp.counting import p95_of
from runbooks.ramp.sight import AnsweredBy, Sight
from runbooks.ramp.weights import Scene
from runbooks.schema import Ramp

P95_LEAST = 60.0
"""Requests of the target in a stage, under which its p95 is not judged (fewer where the ramp itself wants fewer)."""


EARLY = 0.999
"""Confidence of the bounds until a stage has been held to its end."""


def harm(ramp: Ramp, stage: RampStage, scene: Scene, sight: Sight, answered: AnsweredBy) -> str:
    """Why the ramp is to be aborted; empty when nothing speaks for that."""
    return (
        _opened(scene)
        or _alerted(stage, scene, sight)
        or surely_failing(ramp, stage, sight.now)
        or _slow(ramp, stage, sight)
        or _wrong(ramp, stage, scene, answered)
    )


def _opened(scene: Scene) -> str:
    circuit, name = scene.target.circuit, clean(scene.target.ref.name, 60)
    if circuit.observed is not Observed.OPEN and not scene.place.open:
        return ""
    cause = clean(circuit.cause, 80)
    return f"the circuit of {name} has opened" + (f": {cause}" if cause else "")


def _alerted(stage: RampStage, scene: Scene, sight: Sight) -> str:
    """A page of the target, its provider or the route that was not there before the ramp.

    One of the route speaks against the target only where it does no better than the others: while they are the ill
    ones, going back to them is the harm.
    """
    provider = Ref(stage.target.source, Kind.PROVIDER, scene.target.provider)
    better = stage.errors * stage.others_requests < stage.others_errors * stage.requests
    for ref in (stage.target, provider, *(() if better else (stage.route,))):
        for alert in sight.board.alerts_of(ref):
            new = alert.state is AlertState.FIRING and alert.since > stage.began_at
            if new and alert.severity is Severity.PAGE:
                return f"a page since the ramp began: {alert.rule} of {clean(ref.name, 60)}: {clean(alert.words, 120)}"
    return ""


def held_out(stage: RampStage, now: float) -> bool:
    """Whether a stage has had its time and its requests."""
    return now - stage.since >= stage.wanted_s and stage.requests >= stage.wanted_requests


def surely_failing(ramp: Ramp, stage: RampStage, now: float) -> str:
    """The target's errors are surely more than the others'.

    Until the stage has been held to its end it is looked at again and again, and chance gets as many tries: so long
    the bounds are those of 99.9 %. So chance alone ends 2 to 4 of a hundred whole ramps.
    """
    if stage.others_requests > 0 and stage.errors * stage.others_requests <= stage.others_errors * stage.requests:
        return ""
    sure = ramp.confidence if held_out(stage, now) else max(EARLY, ramp.confidence)
    mine = clopper_pearson(stage.errors, stage.requests, sure)
    if stage.others_requests <= 0:
        part = (
            f"{stage.errors:,.0f} of {stage.requests:,.0f} of its requests failed, and nobody is there to compare with"
        )
        return part if mine.low > BAD_ERROR_RATIO else ""
    theirs = clopper_pearson(stage.others_errors, stage.others_requests, sure)
    if mine.low <= theirs.high:
        return ""
    return (
        f"{stage.errors:,.0f} of {stage.requests:,.0f} of its requests failed: surely more than {mine.low:.1%}, "
        f"and of the others' at most {theirs.high:.1%}"
    )


def _slow(ramp: Ramp, stage: RampStage, sight: Sight) -> str:
    """Its p95 is so many times the others'. Windows of few requests scatter, and until a stage is held to its end they
    are looked at again and again: so long only the square of that is borne no more."""
    mine, theirs = p95_of(stage.target, stage.since, sight), stage.others_p95_s
    if mine is None or not theirs or stage.requests < min(P95_LEAST, stage.wanted_requests):
        return ""
    most = ramp.worse_p95 if held_out(stage, sight.now) else ramp.worse_p95**2
    if mine <= most * theirs:
        return ""
    return f"its p95 is {mine:.3g} s, {mine / theirs:.1f} × the others' {theirs:.3g} s; {most:.3g} × is borne"


def _wrong(ramp: Ramp, stage: RampStage, scene: Scene, answered: AnsweredBy) -> str:
    """More answers that do not parse, or are refused, than the others give; by that much, and not by chance."""
    mine = answered(stage.target.name, stage.since)
    if mine is None:
        return ""
    theirs = Answered()
    for slot in scene.others:
        theirs = theirs.plus(answered(slot.name, stage.began_at) or Answered())
    for what, bad, whole, other_bad, other_whole in (
        ("do not parse", mine.unparsed, mine.structured, theirs.unparsed, theirs.structured),
        ("are refused", mine.refused, mine.answers, theirs.refused, theirs.answers),
    ):
        usual = other_bad / other_whole if other_whole else 0.0
        part = bad / whole if whole else 0.0
        if part > usual + ramp.worse_answers and clopper_pearson(bad, whole, ramp.confidence).low > usual:
            return (
                f"{part:.1%} of its answers {what}, {usual:.1%} of the others'; {ramp.worse_answers:.0%} more is borne"
            )
    return ""
