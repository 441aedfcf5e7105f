"""How a ramp is to go, once the parameters of its runbook are known."""

from collections.abc import Mapping
from typing import NamedTuple

from console.domain.text import clean
from runbooks.ramp.sight import RampFault
from runbooks.schema import Ramp


class Terms(NamedTuple):
    """Stages in percent, and how each is held."""

    stages: tuple[float, ...]
    hold_s: float
    requests: float
    patience_s: float
    keep_s: float


def terms_of(ramp: Ramp, parameters: Mapping[str, str | float]) -> Terms:
    """A ramp's terms, with what it leaves to parameters filled in.

    Raises:
        RampFault: a parameter has no value, or one that is none.
    """
    return Terms(
        _stages(ramp.stages, parameters),
        _number("hold", ramp.hold, parameters),
        _number("requests", ramp.requests, parameters),
        _number("patience", ramp.patience, parameters),
        _number("keep", ramp.keep, parameters),
    )


def _stages(given: tuple[float, ...] | str, parameters: Mapping[str, str | float]) -> tuple[float, ...]:
    if not isinstance(given, str):
        return given
    text = str(_value(given, parameters))
    try:
        stages = tuple(float(part.strip().removesuffix("%")) for part in text.split(","))
    except ValueError:
        stages = ()
    if not stages or list(stages) != sorted(set(stages)) or not stages[0] > 0 or not stages[-1] <= 100:
        raise RampFault(f"{clean(text, 60)!r} are no stages: write rising percents, as in 1,5,25,50,100")
    return stages


def _number(what: str, given: float | str, parameters: Mapping[str, str | float]) -> float:
    value = _value(given, parameters) if isinstance(given, str) else given
    if not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise RampFault(
            f"{clean(str(value), 40)!r} is no {what}: the runbook's parameter has to be a number or duration"
        )
    return float(value)


def _value(given: str, parameters: Mapping[str, str | float]) -> str | float:
    name = given.removeprefix("${").removesuffix("}")
    if name not in parameters:
        raise RampFault(f"nothing is known of the parameter {clean(name, 40)}")
    return parameters[name]
