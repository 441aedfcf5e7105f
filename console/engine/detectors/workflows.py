"""Long runs that make no progress, and side effects that are done twice by runs that were started again."""

from collections.abc import Iterator

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Group
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.readings import Service, Workflow
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience

IDLE_STEPS = 3.0
"""A run is stuck when it has waited for more than this many times the 99th percentile of a step."""
QUIET_PART = 0.02
"""Fewer stuck runs than this part of all that run, or a single one, are kept an eye on and not told."""


class StuckWorkflow:
    """A ticket for each workflow of each service whose runs are stuck or repeat what they have done."""

    name = "stuck-workflow"
    patience = Patience(fire_after_s=60.0, resolve_after_s=120.0)

    def __init__(self) -> None:
        self._services: dict[Ref, tuple[Workflow, ...]] = {}
        self._usual: dict[tuple[Ref, str], float] = {}
        """Duplicates that stood there when the workflow was first seen, or fewer since."""

    def feed(self, change: Change) -> None:
        """Keep the newest word on every workflow."""
        for ref in change.removed:
            self._services.pop(ref, None)
        for reading in change.readings:
            if isinstance(reading, Service):
                if reading.workflows:
                    self._services[reading.ref] = reading.workflows
                else:
                    self._services.pop(reading.ref, None)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition a workflow; its value is how many runs are stuck."""
        for ref, workflows in self._services.items():
            for workflow in workflows:
                yield from self._judge(ref, workflow)

    def _judge(self, ref: Ref, workflow: Workflow) -> Iterator[Condition]:
        stuck, repeated = _stuck(workflow), self._repeated(ref, workflow)
        if not stuck and not repeated:
            return
        many = max(2.0, QUIET_PART * workflow.running)
        yield Condition(
            f"{self.name}/{clean(workflow.name, 60)}",
            ref,
            Severity.TICKET,
            _words(workflow, stuck, repeated),
            float(stuck),
            begins=stuck >= many or repeated >= many,
            aspect=Aspect.ANSWERS,
            about=Group(service=ref.name),
        )

    def _repeated(self, ref: Ref, workflow: Workflow) -> int:
        """Side effects that were done twice, beyond those that always are."""
        key = (ref, workflow.name)
        usual = self._usual[key] = min(self._usual.get(key, float(workflow.duplicates)), float(workflow.duplicates))
        return max(0, round(workflow.duplicates - usual))

    def state(self, now: float) -> DetectorState:
        """How many workflows it watches."""
        workflows = [one for several in self._services.values() for one in several]
        unknown = [one.name for one in workflows if one.step_p99_s is None and not one.stuck]
        return DetectorState(
            name=self.name,
            summary="long runs without progress, and side effects that are done twice",
            watching=len(workflows) - len(unknown),
            learning=len(unknown),
            unknown=tuple(clean(f"{name}: how long a step takes is not known", 120) for name in unknown[:10]),
        )


def _stuck(workflow: Workflow) -> int:
    """Runs without progress; at least one when the longest wait alone says so."""
    idle, step = workflow.idle_most_s, workflow.step_p99_s
    waits = idle is not None and step is not None and idle > IDLE_STEPS * step
    return max(workflow.stuck, int(waits))


def _words(workflow: Workflow, stuck: int, repeated: int) -> str:
    parts = []
    if stuck:
        words = f"{stuck:,} of {workflow.running:,} runs of {clean(workflow.name, 60)} make no progress"
        if workflow.idle_most_s is not None and workflow.step_p99_s is not None:
            words += (
                f", the longest for {words_of(workflow.idle_most_s)}; a step takes {words_of(workflow.step_p99_s)} at "
                "the most (99 of 100)"
            )
        parts.append(words)
        if workflow.checkpoints:
            last = max(workflow.checkpoints, key=lambda checkpoint: checkpoint.runs)
            parts.append(f"most stand after {clean(last.step, 60)} ({last.runs:,})")
    if repeated:
        parts.append(f"{repeated:,} side effects were done twice in the last hour: resume, do not start again")
    return "; ".join(parts)
