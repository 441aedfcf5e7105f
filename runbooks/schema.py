"""What a runbook's file may hold (YAML, one runbook a file); `switchgear runbook schema` prints it as JSON Schema.

The words are those of the field: preconditions and `when` (Ansible), `successCondition`, `failureLimit` and
`inconclusiveLimit` (Argo Rollouts' analysis), steps with `onFailure` and `timeout` (AWS SSM documents).
Conditions are CEL (`runbooks.expressions` has its variables and functions). `${name}` in any other text is replaced by
the parameter of that name, and nothing is evaluated there.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from console.config import Model
from console.config.model import seconds
from console.domain.verbs import Verb

Duration = Annotated[
    float,
    BeforeValidator(seconds, json_schema_input_type=float | str),
    Field(ge=0, le=7 * 86_400, allow_inf_nan=False),
]
"""`30s`, `5m`, `1h30m`, or seconds."""
Interval = Annotated[Duration, Field(ge=1)]
"""At least a second."""
Expression = Annotated[str, Field(min_length=1, max_length=1000)]
"""A condition in CEL; it is true or false."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""What an expression can name."""
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Text = Annotated[str, Field(max_length=500)]
Docs = Annotated[str, Field(max_length=8000)]
"""Markdown."""


class Match(Model):
    """An alert that offers the runbook; all that is given has to fit."""

    rule: Text = "*"
    """The alert's rule, `*` for any part: `latency`, `burn-rate/*`."""
    aspect: Literal["transport", "answers", "cost", ""] = ""
    """Which kind of health the alert is about: `transport`, `answers`, `cost`."""
    kind: Text = ""
    """What the alert's object is: `deployment`, `route`, `queue`, `source`."""
    culprit: Text = ""
    """What the incident's likeliest culprit is: `provider`, `provider/azure`, `model/*`."""
    when: Expression | None = None
    """And this, with the alert's own variables (`alert`, `incident`) and the parameters found so far."""


class Parameter(Model):
    """Something that the runbook has to know."""

    type: Literal[
        "provider", "deployment", "route", "queue", "source", "service", "duration", "number", "text", "choice"
    ]
    """A name on the board (`provider`, `deployment`, `route`, `queue`, `source`, `service`), or `duration`, `number`,
    `text`, `choice`."""
    docs: Text = ""
    """What it is, for who is asked."""
    default: str | float | int | None = None
    """When nothing was given and `from` finds nothing; without one it is asked for."""
    source: Expression | None = Field(default=None, alias="from")
    """CEL that finds it from what is seen: `alert.name`, `route_of(alert.name)`, `alternative(route)`; not found is
    asked for."""
    choices: tuple[Text, ...] = ()
    """What there is to choose from, for a `choice`."""
    minimum: float | None = None
    """The least, for a `number` or (in seconds) a `duration`."""
    maximum: float | None = None
    """The most."""
    hidden: bool = False
    """Reckoned when it begins, for its own conditions: in no form and no offer, and never asked for. It has a
    `default`."""


class Precondition(Model):
    """What has to hold before the first step, and again when a run is resumed."""

    condition: Expression
    """What has to hold."""
    words: Text = ""
    """What it means, for a person."""


class Action(Model):
    """One intent."""

    verb: Verb
    """`trip`, `reset`, `weight`, `switch`, `restore`, `stop`; of a queue `pause`, `resume`, `park`, `replay`, `finish`,
    `requeue`, `isolate`, `purge`."""
    target: Text
    """What it is done to: `KIND/NAME`, or a parameter (`${route}`), whose type says its kind; `SOURCE:KIND/NAME` where
    two have it."""
    to: Text = ""
    """Where a switch goes."""
    weight: Text | float = ""
    """For `weight`."""
    per_s: Text | float = ""
    """For `replay` and `requeue`."""
    ttl: Duration | None = None
    """When it ends by itself; the environment's default where nothing is said."""
    on_expiry: Literal["revert", "probe", "hold"] = Field(default="revert", alias="onExpiry")
    """What happens when its time is up: `revert`, `probe`, `hold`."""
    reason: Text = ""
    """For the audit log; the runbook's title and step where nothing is said."""


class Command(Model):
    """A command that the config names under `commands`; without a shell, arguments as they are."""

    name: Text
    """Its name in the config."""
    args: tuple[Text, ...] = ()
    """Arguments behind those that the config gives it."""


class Manual(Model):
    """What a person does elsewhere."""

    ask: Text
    """What they are asked: `Roll the index back to the version before`."""
    does: Text = ""
    """What it does and to whom, for rehearsals in the simulator: `rollback index/knowledge-base`."""


class Wait(Model):
    """Until it holds, or for a while, or both: at least `for`, then until it holds."""

    until: Expression | None = None
    """What is waited for."""
    duration: Duration = Field(default=0.0, alias="for")
    """At least so long."""
    interval: Interval = 5.0
    """How often it is looked."""

    @model_validator(mode="after")
    def _for_something(self) -> "Wait":
        if self.until is None and not self.duration:
            raise ValueError("a wait has `until`, `for` or both")
        return self


class Turn(Model):
    """One way on."""

    when: Expression | None = None
    """When it is taken; without it, whatever else holds."""
    goto: Id
    """A later step's id, or `end`."""


_GIVEN = re.compile(r"\$\{[a-z][a-z0-9_]{0,39}\}")
"""A parameter (`${hold}`) in the place of a number."""


def _or_given(value: object, most: float, words: str) -> object:
    """A number or duration as a number, a parameter as it is."""
    if isinstance(value, str) and _GIVEN.fullmatch(value.strip()):
        return value.strip()
    number = seconds(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= most:
        raise ValueError(words)
    return float(number)


def _held(value: object) -> object:
    return _or_given(value, 7 * 86_400, "write 30s, 5m or 1h30m, at most 7d; or a parameter, as ${hold}")


def _counted(value: object) -> object:
    return _or_given(value, 1e9, "write a number of requests, or a parameter, as ${requests}")


def _stages(value: object) -> object:
    """Rising percents, or a parameter that has them as text."""
    if isinstance(value, str) and _GIVEN.fullmatch(value.strip()):
        return value.strip()
    listed = list(value) if isinstance(value, list | tuple) else []
    numbers = [one for one in listed if isinstance(one, int | float) and not isinstance(one, bool) and 0 < one <= 100]
    if not numbers or len(numbers) != len(listed) or numbers != sorted(set(numbers)):
        raise ValueError("stages are percents, each above the one before and at most 100, as in [1, 5, 25, 50, 100]")
    return tuple(float(one) for one in numbers)


Stages = Annotated[tuple[float, ...] | str, BeforeValidator(_stages, json_schema_input_type=list[float] | str)]
"""Rising percents, or a parameter that has them as text."""
Held = Annotated[float | str, BeforeValidator(_held, json_schema_input_type=float | str)]
"""A duration, or a parameter that is one."""
Counted = Annotated[float | str, BeforeValidator(_counted, json_schema_input_type=float | str)]
"""A number, or a parameter that is one."""


class Ramp(Model):
    """A route's requests moved in stages by weights; the last stage of 100 switches where the route can."""

    route: Text
    """Whose requests are moved."""
    to: Text
    """The deployment that gets them."""
    stages: Stages = (1, 5, 25, 50, 100)
    """Percent of the route's requests, rising; as a parameter's text: `1,5,25,50,100`."""
    hold: Held = 180.0
    """The least time that a stage is held …"""
    requests: Counted = 300.0
    """… and the least number of requests that the new target has had in it."""
    patience: Held = 900.0
    """A stage that cannot be judged by then pauses the run."""
    keep: Held = 1800.0
    """How long it holds after its last stage, within `overrides.max_ttl`; then what was before comes back."""
    worse_p95: Annotated[float, Field(ge=1, le=1000)] = Field(default=1.5, alias="worseP95")
    """Abort when the new target's p95 is so many times that of the others."""
    worse_answers: Annotated[float, Field(ge=0, le=1)] = Field(default=0.02, alias="worseAnswers")
    """Abort when so much more of its answers do not parse or are refused (part of all answers)."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Abort when the lower bound of its error rate is above the upper bound of the others'."""


class Verify(Model):
    """How the effect is judged once the step has done what it does (Argo's analysis)."""

    success: Expression | None = Field(default=None, alias="successCondition")
    """It worked when this held `count` times."""
    failure: Expression | None = Field(default=None, alias="failureCondition")
    """It did not work when this held more than `failureLimit` times; a look at which neither holds is inconclusive."""
    interval: Interval = 15.0
    """How often it is looked."""
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    """How often `successCondition` has to hold."""
    failure_limit: Annotated[int, Field(ge=0, le=1000)] = Field(default=0, alias="failureLimit")
    """So many failures are borne."""
    inconclusive_limit: Annotated[int, Field(ge=0, le=1000)] = Field(default=10, alias="inconclusiveLimit")
    """So many looks at which neither can be said, or neither holds; one more pauses the run."""
    timeout: Duration = 600.0
    """The longest that it is looked for."""

    @model_validator(mode="after")
    def _of_something(self) -> "Verify":
        if self.success is None and self.failure is None:
            raise ValueError("a verification has `successCondition`, `failureCondition` or both")
        return self


KINDS = ("action", "check", "wait", "manual", "branch", "ramp", "command")
"""What a step can be."""


def kinds_fault(step: Mapping[str, object]) -> str:
    """What is wrong with a step's kind; empty when it has exactly one."""
    given = [kind for kind in KINDS if step.get(kind) is not None]
    return "" if len(given) == 1 else f"a step has exactly one of {', '.join(KINDS)}; here {', '.join(given) or 'none'}"


class Step(Model):
    """One step; exactly one of `action`, `check`, `wait`, `manual`, `branch`, `ramp` and `command`."""

    id: Id
    """What it is called in the run, the log and `goto`; no two are called the same."""
    title: Text = ""
    """What it does, in a line."""
    docs: Docs = ""
    """For who follows it: why, and what to look at. Markdown."""
    when: Expression | None = None
    """The step is skipped when this does not hold."""
    action: Action | None = None
    """One intent, through the same seven steps as with a key."""
    check: Expression | None = None
    """Look once: it holds, or the step fails."""
    wait: Wait | None = None
    """Look until something holds, or for a while."""
    manual: Manual | None = None
    """A person does it elsewhere and says so."""
    branch: tuple[Turn, ...] | None = None
    """Go on at the first one that holds; where none does, straight on."""
    ramp: Ramp | None = None
    """Move requests in stages."""
    command: Command | None = None
    """Run one of the programs that the config names."""
    confirm: Literal["always", "never"] = "always"
    """`always` asks before an action, a ramp or a command; with `never` it goes on the yes with which the run was
    begun; the guard's wish for a typed name still asks."""
    timeout: Duration | None = None
    """The step fails when it is not over by then; waits and manual steps have no other end."""
    verify: Verify | None = None
    """How it is judged whether it worked, once it is done."""
    on_failure: Literal["abort", "rollback", "pause", "continue"] | Id = Field(default="pause", alias="onFailure")
    """`abort`, `rollback`, `pause`, `continue`, or the id of a later step to go on at."""
    rollback: Literal["restore", "none"] | Action = "restore"
    """The way back when the run is rolled back: `restore` what the action replaced, `none`, or another action."""

    @model_validator(mode="after")
    def _one_kind(self) -> "Step":
        if fault := kinds_fault({kind: getattr(self, kind) for kind in KINDS}):
            raise ValueError(fault)
        return self


class Runbook(Model):
    """One runbook."""

    schemaVersion: Literal[1]
    """Of this file's shape."""
    id: Id
    """What it is called everywhere: `switchgear runbook run ID`."""
    title: Text
    """What is wrong, in a line."""
    summary: Text = ""
    """What it does about it."""
    match: Annotated[tuple[Match, ...], Field(max_length=20)] = ()
    """Which alerts offer it; without any it is begun by name only."""
    parameters: Annotated[dict[Name, Parameter], Field(max_length=30)] = Field(default_factory=dict)
    """What it has to know, by name; each `from` may use those above it."""
    preconditions: Annotated[tuple[Precondition, ...], Field(max_length=30)] = ()
    """What has to hold before it begins, and when it is resumed."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=100)]
    """One after the other; only forwards."""
    scenarios: tuple[Id, ...] = ()
    """Scenarios of the simulator against which it is proven."""
