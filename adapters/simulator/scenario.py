"""Incidents as data: what goes wrong with whom and when, and the labels that a score or an evaluation needs."""

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from adapters.simulator.faults import Number, Track, targets_of
from adapters.simulator.platform import Platform
from adapters.simulator.traffic import Traffic
from console.config import Model
from console.domain.errors import ConfigError
from console.domain.incidents import Dimension
from console.domain.verbs import Verb

HOLDS: Final = "a scenario: `schemaVersion: 1`, `name:`, `summary:`, `tracks:`; see `switchgear scenarios --schema`"
"""What a scenario's file has to hold."""

_PARAMETER = re.compile(r"(?:(?P<factor>[0-9.]+)\*)?\$(?P<name>[a-z_]+)")
_FOLDER = "scenarios"


class Act(Model):
    """Something that may be done, rightly or wrongly: words, and the action where the console has one."""

    words: str
    verb: Verb | None = None
    target: str = ""
    """What it is done to, as `KIND/NAME` (`route/chat`); empty when the console cannot do it."""
    to: str = ""
    """Where a switch goes."""


class Scenario(Model):
    """One incident, or a day on which nothing is wrong."""

    schemaVersion: Literal[1] = 1
    name: str
    summary: str
    """One line for those who choose, without a name of who is to blame."""
    kind: Literal["incident", "control"] = "incident"
    """A control looks like an incident and is none: nothing should be done."""
    parameters: dict[str, float] = Field(default_factory=dict)
    """Numbers that others may set, by name: `$name` and `FACTOR*$name` stand for them everywhere else in the file."""
    quiet_s: Number = 10.0
    """Seconds of the clock from where the world is first seen to time 0, whatever the speed."""
    onset: Number = 0.0
    """Label: the first moment at which a person could see it, in seconds after time 0."""
    end_s: Number | None = None
    """Label: when the world is well again by itself, in seconds after time 0; None: never."""
    tracks: tuple[Track, ...] = ()
    traffic: Traffic = Traffic()
    culprit: str = ""
    """Label: `DIMENSION/NAME`, as a diagnosis names it; empty when nobody is to blame."""
    also_right: tuple[str, ...] = ()
    """Labels that are as right."""
    right_actions: tuple[Act, ...] = ()
    """What helps; any one of them."""
    traps: tuple[Act, ...] = ()
    """What makes it worse, or only seems to help."""
    aspect: Literal["transport", "answers", "cost", ""] = ""
    """What of the platform's health it is about."""

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, data: Any) -> Any:
        """The parameters' values in place of their names."""
        values = data.get("parameters") if isinstance(data, dict) else None
        if not isinstance(values, dict):
            return data
        return {key: value if key == "parameters" else _fill(value, values) for key, value in data.items()}

    @model_validator(mode="after")
    def _labelled(self) -> "Scenario":
        known = ", ".join(Dimension)
        for label in (self.culprit, *self.also_right):
            dimension, _, name = label.partition("/")
            if label and (dimension not in set(Dimension) or not name):
                raise ValueError(f"{label!r} is no culprit: it is DIMENSION/NAME with one of {known}")
        return self

    def fits(self, platform: Platform) -> None:
        """Hold every target against the platform.

        Raises:
            ConfigError: one names something that is not there.
        """
        for track in self.tracks:
            wanted = targets_of(track.target)
            here = any(wanted <= group for group in _groups(platform))
            if not here and not any(part.startswith(("index/", "source/")) for part in wanted):
                raise ConfigError(f"scenario {self.name}: {track.target} is not in this platform")


def names() -> tuple[str, ...]:
    """The scenarios that are shipped."""
    folder = resources.files("adapters.simulator").joinpath(_FOLDER)
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir()))


def is_path(name: str) -> bool:
    """Whether it means a file and not a shipped scenario."""
    return "/" in name or name.endswith((".yaml", ".yml", ".json"))


def load_scenario(name: str, parameters: Mapping[str, float] | None = None) -> Scenario:
    """A shipped scenario by its name, or any other by the path of its file; `parameters` go before the file's own.

    Raises:
        ConfigError: there is none, or the file is broken; one line a fault, each with file, line and field.
    """
    if is_path(name):
        return _read(Path(name), parameters or {})
    if name not in names():
        raise ConfigError(f"there is no scenario {name!r}; there are: {', '.join(names())}, or the path of a file")
    with resources.as_file(resources.files("adapters.simulator").joinpath(_FOLDER, f"{name}.yaml")) as path:
        return _read(path, parameters or {})


def load_traffic(path: str) -> Traffic:
    """A shape of traffic from a file of its own.

    Raises:
        ConfigError: it is not there, or broken; one line a fault, each with file, line and field.
    """
    from console.config.document import read
    from console.config.reader import valid

    return valid(read(Path(path), "the shape of traffic; see `switchgear scenarios --schema`"), Traffic)


def _read(path: Path, parameters: Mapping[str, float]) -> Scenario:
    from console.config.document import read
    from console.config.reader import valid

    document = read(path, HOLDS)
    own = document.data.setdefault("parameters", {})
    for name, value in parameters.items():
        if not isinstance(own, dict) or name not in own:
            known = ", ".join(own) if isinstance(own, dict) and own else "none"
            raise ConfigError(f"{path}: there is no parameter {name!r}; there are: {known}")
        own[name] = value
    return valid(document, Scenario)


def _fill(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {key: _fill(value, values) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_fill(value, values) for value in node]
    found = _PARAMETER.fullmatch(node) if isinstance(node, str) else None
    if found is None or not isinstance(values.get(found["name"]), int | float):
        return node
    return float(found["factor"] or 1.0) * values[found["name"]]


def _groups(platform: Platform) -> list[frozenset[str]]:
    """What can be one call's, one job's or one service's at the same time."""
    services = {"service/api", *(f"service/{queue.service}" for queue in platform.queues)}
    tenants = {f"tenant/{tenant.key}" for tenant in platform.tenants}
    found = [frozenset({"gateway"}), *(frozenset({f"provider/{one.name}"}) for one in platform.providers)]
    found += [frozenset({f"queue/{one.name}", f"service/{one.service}"}) for one in platform.queues]
    for route in platform.routes:
        for one in route.deployments:
            call = {f"provider/{one.provider}", f"model/{one.model}", f"deployment/{one.name}", f"route/{route.name}"}
            # Whoever asks, the calls of another route may come here as its fallback: any tenant, any service.
            found.append(frozenset(call | services | tenants))
    return found
