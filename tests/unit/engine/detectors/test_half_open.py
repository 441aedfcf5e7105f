"""Breakers that let a flood through when they are half-open."""

import msgspec

from console.domain.alerts import Severity
from console.domain.circuit import Circuit, Mode, Observed, ReplicaCircuit
from console.domain.readings import AnyReading
from console.engine.detectors.half_open import HalfOpenFlood
from tests.unit.engine.detectors.parts import HOUR_S, Scene, deployment


class Flapping:
    """A breaker that opens for a minute, is half-open for a quarter of one, and opens again."""

    def __init__(self, probes: float, *, mode: Mode = Mode.AUTO) -> None:
        self.probes = probes
        self.mode = mode
        self.ill = False
        self.step = 0

    def __call__(self, at: float) -> list[AnyReading]:
        self.step += 1
        observed, rate = Observed.CLOSED, 100.0
        if self.ill:
            observed = Observed.HALF_OPEN if self.step % 5 == 0 else Observed.OPEN
            rate = self.probes if self.step % 5 in (0, 1) else 0.0
        circuit = Circuit(mode=self.mode, replicas=(ReplicaCircuit(replica="a", observed=observed),))
        return [msgspec.structs.replace(deployment(at, requests=rate), circuit=circuit)]


def test_a_flood_through_a_half_open_breaker_is_told() -> None:
    scene, script = Scene(HalfOpenFlood()), Flapping(probes=1700.0)
    assert scene.play(HOUR_S, script, step_s=15.0) == []
    script.ill = True
    ((after, found),) = scene.play(900.0, script, step_s=15.0)
    assert after <= 240.0
    assert found.severity is Severity.PAGE
    assert "up to 1,700 requests/min pass, 17.0× its usual" in found.words
    script.ill = False
    scene.play(HOUR_S, script, step_s=15.0)
    assert scene.conditions == []


def test_a_few_probes_that_fail_are_a_notice_in_the_end() -> None:
    scene, script = Scene(HalfOpenFlood()), Flapping(probes=3.0)
    scene.play(HOUR_S, script, step_s=15.0)
    script.ill = True
    assert scene.play(300.0, script, step_s=15.0) == []
    ((_, found),) = scene.play(900.0, script, step_s=15.0)
    assert found.severity is Severity.NOTICE


def test_what_an_operator_holds_open_does_not_flap() -> None:
    scene, script = Scene(HalfOpenFlood()), Flapping(probes=1700.0, mode=Mode.FORCED_OPEN)
    script.ill = True
    assert scene.play(HOUR_S, script, step_s=15.0) == []
