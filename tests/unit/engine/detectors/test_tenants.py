"""A key for which nothing works, while the whole looks well."""

from console.domain.alerts import Severity
from console.domain.readings import AnyReading, Spend, SpendScope
from console.domain.refs import Kind, Ref
from console.engine.detectors.tenants import FailingTenants
from tests.unit.engine.detectors.parts import HOUR_S, Scene


class Keys:
    """Three keys; `part` says which part of whose requests fails."""

    def __init__(self) -> None:
        self.rates = {"web": 300.0, "mobile": 200.0, "reports": 20.0}
        self.part = dict.fromkeys(self.rates, 0.004)
        self.asked = dict.fromkeys(self.rates, 0.0)
        self.failed = dict.fromkeys(self.rates, 0.0)

    def __call__(self, at: float) -> list[AnyReading]:
        for key, rate in self.rates.items():
            self.asked[key] += rate / 4.0
            self.failed[key] += rate / 4.0 * self.part[key]
        return [self._spend(key, at) for key in self.rates]

    def _spend(self, key: str, at: float) -> Spend:
        return Spend(
            ref=Ref("gateway", Kind.KEY, key),
            observed_at=at,
            scope=SpendScope.KEY,
            subject=key,
            requests_today=round(self.asked[key]),
            failed_today=round(self.failed[key]),
        )


def test_a_key_that_fails_alone_is_told() -> None:
    scene, keys = Scene(FailingTenants()), Keys()
    assert scene.play(HOUR_S, keys, step_s=15.0) == []
    keys.part["reports"] = 1.0
    ((after, found),) = scene.play(900.0, keys, step_s=15.0)
    assert after <= 120.0
    assert found.ref.name == "reports"
    assert "with the key reports failed in 5 min, and 0.4% of all others" in scene.conditions[0].words
    assert scene.conditions[0].severity is Severity.PAGE


def test_what_all_keys_suffer_is_nobodys_own() -> None:
    scene, keys = Scene(FailingTenants()), Keys()
    scene.play(HOUR_S, keys, step_s=15.0)
    keys.part = dict.fromkeys(keys.rates, 0.3)
    assert scene.play(900.0, keys, step_s=15.0) == []


def test_a_single_key_has_nobody_to_be_compared_with() -> None:
    scene, keys = Scene(FailingTenants()), Keys()
    keys.rates = {"web": 300.0}
    scene.play(HOUR_S, keys, step_s=15.0)
    keys.part["web"] = 0.9
    assert scene.play(900.0, keys, step_s=15.0) == []
