"""What a run sees: its conditions with their values, what its steps come to now, and what is there to be kept."""

from collections.abc import Callable

from console.domain.actions import Intent, OverrideState, Restore
from console.domain.alerts import AlertState
from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.readings import AnyReading, Deployment
from console.domain.refs import Kind, Ref
from console.domain.runbooks import Condition, Evidence, RampStage
from console.domain.text import clean
from runbooks import events, ramping
from runbooks.expressions import Scope, judge
from runbooks.hands import Lately
from runbooks.parameters import typed, types_of
from runbooks.ramp.sight import AnsweredBy, nobody_tells
from runbooks.ramping import Policy, RampFault
from runbooks.schema import Action, Ramp, Runbook, Step
from runbooks.session import Hold, Prepare, Question, Session
from runbooks.targets import filled, intent_of, ref_of

READINGS_MOST = 12
"""Readings in one piece of evidence."""
ALERTS_MOST = 20
TRACES_MOST = 10


class Eyes:
    """Looks at the engine's board for one runbook or another; it changes nothing."""

    def __init__(
        self,
        board: Callable[[], Board],
        clock: Clock,
        lately: Lately,
        policy: Policy,
        answered: AnsweredBy = nobody_tells,
    ) -> None:
        self._board = board
        self._clock = clock
        self._lately = lately
        self._policy = policy
        self._answered = answered

    def scope(self, runbook: Runbook, session: Session) -> Scope:
        """What the expressions of a run are judged by now."""
        run, board, now = session.run, self._board(), self._clock.now()
        since = session.step.since if run.current else None
        return Scope(
            board=board,
            now=now,
            past=self._lately,
            parameters={
                name: typed(one, run.parameters[name], None)
                for name, one in runbook.parameters.items()
                if name in run.parameters
            },
            types=types_of(runbook),
            alert=board.alerts.get(run.alert),
            incident=board.incidents.get(run.incident),
            extra={"run_s": now - run.started_at, "step_s": now - (since or run.started_at)},
            after=session.effects_at,
        )

    def bare(self, runbook: Runbook, alert: str, incident: str) -> Scope:
        """What a runbook that is not begun is judged by; `alert` and `incident` are ids, or empty."""
        board = self._board()
        return Scope(
            board=board,
            now=self._clock.now(),
            past=self._lately,
            types=types_of(runbook),
            alert=board.alerts.get(alert),
            incident=board.incidents.get(incident),
            extra={"run_s": 0.0, "step_s": 0.0},
        )

    def judge(self, questions: tuple[Question, ...], runbook: Runbook, session: Session) -> tuple[Condition, ...]:
        """The conditions as they are now."""
        scope = self.scope(runbook, session)
        return tuple(judge(one.role, one.text, scope, one.words) for one in questions)

    def prepare(self, need: Prepare, runbook: Runbook, session: Session) -> events.Prepared | events.Impossible:
        """The intents of a step, or of its way back."""
        scope = self.scope(runbook, session)
        try:
            if need.back:
                return self._way_back(need, scope, session)
            if need.spec.ramp:
                return self._stage(need, need.spec.ramp, scope, session)
            return events.Prepared((self._intent(need.spec.action, need, scope, session),))
        except RampFault as fault:
            return events.Impossible(fault.words, fault.passes)
        except Refusal as refusal:
            return events.Impossible(refusal.words)

    def _intent(self, action: Action | None, need: Prepare, scope: Scope, session: Session) -> Intent:
        if action is None:
            raise Refusal(f"{need.spec.id} has no action")
        reason = _reason(session)
        return intent_of(action, scope.parameters, scope.types, scope.board, reason=reason, key=need.key)

    def _stage(self, need: Prepare, ramp: Ramp, scope: Scope, session: Session) -> events.Prepared:
        stage = need.stage
        if stage is None:
            route = ref_of(ramp.route, scope.parameters, scope.types, scope.board, (Kind.ROUTE,))
            target = ref_of(ramp.to, scope.parameters, scope.types, scope.board, (Kind.DEPLOYMENT,))
            stage = ramping.begin(ramp, route, target, scope, self._policy)
        elif need.anew:
            stage = ramping.resumed(stage, scope, self._policy)
        found = ramping.intents(ramp, stage, need.key, _reason(session), self._policy)
        return events.Prepared(found, stage, f"to {stage.shares[stage.index]:g} %")

    def hold(self, need: Hold, runbook: Runbook, session: Session) -> events.Judged:
        """How a ramp's stage stands."""
        scope, ramp = self.scope(runbook, session), need.spec.ramp
        if ramp is None:
            return events.Judged(need.stage, ramping.Result.UNCLEAR, "the file has no ramp here")
        stage, judged = ramping.judge(ramp, need.stage, scope, self._policy, self._answered)
        words = ramping.ending(stage, scope) if judged.result is ramping.Result.DONE else judged.words
        return events.Judged(stage, judged.result, words)

    def _way_back(self, need: Prepare, scope: Scope, session: Session) -> events.Prepared:
        """What undoes a step: its file's own action, the ramp's saved weights, or what its overrides replaced."""
        reason = f"way back: {_reason(session)}"
        if isinstance(need.spec.rollback, Action):
            return events.Prepared((self._intent(need.spec.rollback, need, scope, session),))
        if need.stage is not None:
            return events.Prepared(ramping.back(need.stage, scope, need.key, reason), need.stage)
        return events.Prepared(self._restores(need, scope.board, session, reason))

    def _restores(self, need: Prepare, board: Board, session: Session, reason: str) -> tuple[Intent, ...]:
        mine = (done for done in reversed(session.done) if done.step == need.spec.id)
        ids = [done.action_id for done in mine if done.key not in session.settled]
        held = [board.overrides[one] for one in ids if one in board.overrides]
        standing = [one for one in held if one.state is not OverrideState.ENDED]
        return tuple(
            Intent(
                target=one.target, action=Restore(one.id), reason=reason, via="runbook", key=f"{need.key}/{one.id}"
            )
            for one in standing
        )  # fmt: skip

    def argv(self, spec: Step, runbook: Runbook, session: Session) -> tuple[str, tuple[str, ...]]:
        """The command of a step and its arguments, filled in.

        Raises:
            Refusal: a parameter has no value.
        """
        parameters = self.scope(runbook, session).parameters
        command = spec.command
        if command is None:
            raise Refusal(f"{spec.id} has no command")
        return command.name, tuple(filled(one, parameters) for one in command.args)

    def targets(self, runbook: Runbook, session: Session) -> tuple[Ref, ...]:
        """Everything that the steps of a run may change; what is not on the board now is left out."""
        scope, found = self.scope(runbook, session), dict[Ref, None]()
        for spec in runbook.steps:
            texts = [spec.action.target] if spec.action else [spec.ramp.route, spec.ramp.to] if spec.ramp else []
            for text in texts:
                try:
                    found[ref_of(text, scope.parameters, scope.types, scope.board)] = None
                except Refusal:
                    continue
        return tuple(found)

    def evidence(self, session: Session, step_id: str, when: str) -> Evidence:
        """What is to be seen of a step's object and its route now, and of what fires."""
        board, step = self._board(), session.run.step(step_id)
        readings = self._readings(board, session, step.target if step else None, step.ramp if step else None)
        refs = {one.ref for one in readings}
        firing = [one for one in board.alerts.values() if one.state is AlertState.FIRING]
        firing.sort(key=lambda one: one.ref not in refs)
        examples = dict.fromkeys(trace for one in firing for trace in one.examples)
        return Evidence(
            run=session.run.id, step=step_id, at=self._clock.now(), when=when, readings=readings,
            alerts=tuple(f"{one.id}: {clean(one.words)}" for one in firing[:ALERTS_MOST]),
            traces=tuple(examples)[:TRACES_MOST], conditions=step.conditions if step else (),
        )  # fmt: skip

    def _readings(
        self, board: Board, session: Session, target: Ref | None, ramp: RampStage | None
    ) -> tuple[AnyReading, ...]:
        wanted = dict.fromkeys(ref for ref in (target, *((ramp.route, ramp.target) if ramp else ())) if ref)
        wanted.update(dict.fromkeys(session.targets))
        for ref in tuple(wanted):
            reading = board.readings.get(ref)
            if isinstance(reading, Deployment):
                wanted.update((Ref(ref.source, Kind.ROUTE, name), None) for name in reading.routes)
        return tuple(board.readings[ref] for ref in wanted if ref in board.readings)[:READINGS_MOST]


def _reason(session: Session) -> str:
    run = session.run
    return f"{run.title}, step {run.current}" if run.current else run.title
