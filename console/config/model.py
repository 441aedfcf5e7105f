"""The config's shape: what may stand in the file, with units and defaults. `reader` reads it."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from console.domain.durations import parse_duration
from console.domain.objectives import check_objective
from console.domain.refs import Kind, Ref


def seconds(value: Any) -> Any:
    """A duration in words as seconds; anything that is no text is left to the field.

    Raises:
        ValueError: it is no duration.
    """
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is no duration; write 30s, 5m, 1h30m or 7d")
    return parse_duration(value) if isinstance(value, str) else value


Seconds = Annotated[
    float, BeforeValidator(seconds, json_schema_input_type=float | str), Field(ge=0, allow_inf_nan=False)
]


class Model(BaseModel):
    """Frozen, and an unknown key is an error: a typo must not switch a guard off.

    The docstring under a field is its description in the JSON Schema, for the user's editor and for `adapters NAME`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SourceConfig(Model):
    """One backend to watch."""

    adapter: str
    """A name from `switchgear adapters`."""
    interval: Annotated[Seconds, Field(ge=0.2)] = 5.0
    """How often it is looked at; at least 0.2 s."""
    timeout: Seconds = 4.0
    """How long one look may take; less than the interval, of which it never gets more than nine tenths."""
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    """The most requests a minute that looking may cost this backend; the interval grows when it would be more."""
    options: dict[str, Any] = {}
    """The adapter's own settings; `switchgear adapters NAME` lists them."""

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if "timeout" in self.model_fields_set and self.timeout >= self.interval:
            raise ValueError(f"the timeout ({self.timeout:g} s) has to be less than the interval ({self.interval:g} s)")
        return self


class Protect(Model):
    """Objects that need more than a yes."""

    match: str
    """A glob over references: `gateway:route/*`, `*:deployment/azure-*`."""
    rule: Literal["type-name", "never"] = "type-name"
    """`type-name` asks for the object's name, typed; `never` refuses."""
    why: str = ""
    """What the operator is told."""


class Objective(Model):
    """A service level objective; its error budget is watched over the SRE workbook's windows."""

    name: str
    """How its alerts are called."""
    match: str
    """A glob over references of routes, providers or deployments."""
    target: float = Field(gt=0, lt=1)
    """The part of requests that has to succeed: 0.999."""
    period: Seconds = 30 * 86400.0
    """For how long one error budget has to last."""
    min_errors: int = Field(default=10, ge=1)
    """Fewer errors than this in the long window never fire."""

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        check_objective(self.name, self.target, self.period)
        return self


class OverridePolicy(Model):
    """How long an operator's hand may stay on the switch."""

    default_ttl: Seconds = 1800.0
    """When an override ends by itself, unless the operator says otherwise."""
    max_ttl: Seconds = 14400.0
    """The longest that an operator may ask for."""
    headroom: float = Field(default=1.3, ge=0)
    """A target must be able to carry this many times the demand that is shifted to it."""

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        if self.default_ttl > self.max_ttl:
            raise ValueError(f"default_ttl ({self.default_ttl:g} s) is longer than max_ttl ({self.max_ttl:g} s)")
        return self


class Retention(Model):
    """How long the journal keeps what."""

    raw: Seconds = 6 * 3600.0
    """Readings as they were seen."""
    minutes: Seconds = 14 * 86400.0
    """Means of a minute."""
    hours: Seconds = 400 * 86400.0
    """Means of an hour."""
    events: Seconds = 400 * 86400.0
    """Timeline and alerts. The audit log is never cut."""


class DivergencePolicy(Model):
    """When services that answer one conversation from different knowledge are told."""

    window: Annotated[Seconds, Field(gt=0, le=86400)] = 900.0
    """Two answers of a conversation are held against each other when no more than this lies between them. An alert is
    over when nothing has differed for as long."""
    every: Annotated[Seconds, Field(ge=1)] = 10.0
    """How often each trace store is asked who read which snapshot and touched which memory."""


class CommandConfig(Model):
    """A program that a runbook's `command` step may start: without a shell, as the engine's own account."""

    argv: Annotated[list[str], Field(min_length=1)]
    """The program by its absolute path, and the arguments that it always gets."""
    arguments: int = Field(default=0, ge=0, le=32)
    """How many arguments a runbook may add at the most."""
    patterns: list[str] = []
    """What each added argument has to be, in their order: a regular expression that all of it matches. An argument
    without one is any printable text."""
    dashes: bool = False
    """Whether an added argument may begin with `-`: the program would take it for an option."""
    timeout: Annotated[Seconds, Field(gt=0, le=3600)] = 30.0
    """It is killed with everything that it started when it is not over by then; at most an hour."""
    environment: list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = []
    """Variables of the engine's environment that it gets, by name; it gets no other."""

    @field_validator("argv")
    @classmethod
    def _absolute(cls, argv: list[str]) -> list[str]:
        if not argv[0].startswith("/"):
            raise ValueError(f"{argv[0]!r} is looked up nowhere: write the program's whole path, as in /usr/bin/true")
        if any("\0" in word for word in argv):
            raise ValueError("a program's arguments hold no null characters")
        return argv

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return patterns

    @model_validator(mode="after")
    def _each_of_an_argument(self) -> Self:
        if len(self.patterns) > self.arguments:
            raise ValueError(f"there are {len(self.patterns)} patterns for {self.arguments} arguments")
        return self


class Environment(Model):
    """One platform: what is watched, who may look, who may act."""

    access: Literal["read-only", "operate"] = "read-only"
    """What an operator starts with. `operate` can be asked for, with a reason and for a limited time."""
    readers: list[str] = ["@owner"]
    """Accounts that may look: names, `%group`, `@owner` (the engine's own account), `*` (who can reach the socket)."""
    operators: list[str] = ["@owner"]
    """Accounts that may ask for `operate`; written like `readers`."""
    socket_group: str = ""
    """A Unix group that may enter the socket's directory; empty keeps it to the engine's account."""
    operate_for: Seconds = 1800.0
    """How long a granted `operate` lasts."""
    sources: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")], SourceConfig]
    """The backends, by the names that references begin with."""
    feeds: dict[str, list[str]] = {}
    """Which routes' work waits in which queues: a glob over queue references to references of routes
    (`"jobs:queue/chat-*": ["gateway:route/gpt-main"]`)."""
    protect: list[Protect] = []
    """Objects that need more than a yes."""
    objectives: list[Objective] = []
    """Service level objectives, whose error budgets are watched."""
    overrides: OverridePolicy = OverridePolicy()
    """How long an operator's hand may stay on the switch."""
    commands: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")], CommandConfig] = {}
    """The programs that runbooks may start, by the names that their steps use; there are no others."""
    runbooks: list[str] = []
    """Folders with runbooks of your own (`*.yaml`), from the root or from `~`; one with the id of a shipped runbook
    stands in for it."""
    divergence: DivergencePolicy = DivergencePolicy()
    """When services that answer one conversation from different knowledge are told."""
    retention: Retention = Retention()
    """How long the journal keeps what."""
    idle_exit: Seconds = 60.0
    """An engine that was not asked to stay ends after this long with nobody attached and nothing pending."""

    @field_validator("runbooks")
    @classmethod
    def _folders(cls, folders: list[str]) -> list[str]:
        found = [Path(folder).expanduser() for folder in folders]
        for folder, path in zip(folders, found, strict=True):
            if not path.is_absolute():
                raise ValueError(f"{folder!r} does not begin at the root; write /etc/switchgear/runbooks or ~/runbooks")
        return [str(path) for path in found]

    @field_validator("feeds")
    @classmethod
    def _routes(cls, feeds: dict[str, list[str]]) -> dict[str, list[str]]:
        for route in (route for routes in feeds.values() for route in routes):
            if Ref.parse(route).kind is not Kind.ROUTE:
                raise ValueError(f"{route!r} is no route; write source:route/name, as in gateway:route/gpt-main")
        return feeds


class Config(Model):
    """The whole file."""

    schemaVersion: Literal[1]
    """Of this file's shape."""
    default: str = ""
    """The environment that `switchgear` opens without a name."""
    environments: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")], Environment]
    """The platforms, each with an engine of its own."""
