"""One measured promise, as a line of JSON."""

import json
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Result:
    """A value with its goal; `holds` is None where there is no goal, only something to compare with."""

    name: str
    value: float
    unit: str
    goal: str = ""
    holds: bool | None = None


def at_most(name: str, value: float, unit: str, limit: float) -> Result:
    """A promise with an upper limit."""
    return Result(name, value, unit, f"<= {limit:g}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Result:
    """A promise with a lower limit."""
    return Result(name, value, unit, f">= {limit:g}", value >= limit)


def beside(name: str, value: float, unit: str) -> Result:
    """Something measured in the same run, to compare with."""
    return Result(name, value, unit)


def line(result: Result) -> str:
    """The result as it is printed."""
    return json.dumps(
        {
            "name": result.name,
            "value": round(result.value, 3),
            "unit": result.unit,
            "goal": result.goal,
            "holds": result.holds,
        }
    )


def percentile(values: list[float], part: float) -> float:
    """The value below which `part` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def middle(values: list[float]) -> float:
    """The median."""
    return median(values)
