"""A brownout that is being mended by a runbook: its runs at several moments, its evidence, its forecast."""

from msgspec.structs import replace

from console.domain.actions import Check, CheckResult, Effect, Intent, Outcome, Proposal, Receipt, Stage, Trip, Verdict
from console.domain.errors import Refusal
from console.domain.forecasts import Comparison, Course, Forecast, Foreseen, Outturn, Quantity
from console.domain.readings import AnyReading
from console.domain.refs import Kind, Ref
from console.domain.runbooks import (
    Condition,
    Evidence,
    Offer,
    Parameter,
    RampStage,
    Run,
    RunbookInfo,
    RunCommand,
    RunOrder,
    RunState,
    RunStep,
    Seen,
    StartRun,
    StepKind,
    StepState,
)
from console.domain.verbs import Verb
from console.domain.wire import Snapshot
from tests.ui import drifting, world
from tests.ui.backlog import queue
from tests.ui.drifting import DriftingEngine

NOW = world.NOW
AZURE, CHAT = drifting.AZURE, drifting.CHAT
OPENAI = world.ref(Kind.PROVIDER, "openai")
JOBS = Ref("broker", Kind.QUEUE, "documents")
ME, OTHER = ("bo", 1002), ("ana", 1001)


def condition(role: str, text: str, holds: bool | None, *seen: tuple[str, str], words: str = "") -> Condition:
    return Condition(role=role, text=text, holds=holds, seen=tuple(Seen(name=n, words=w) for n, w in seen), words=words)


def foreseen(
    quantity: Quantity, ref: Ref, now: float | None, then: float | None, *, words: str = "", spread: float = 0
) -> Foreseen:
    low, high = (then * (1 - spread), then * (1 + spread)) if spread and then is not None else (None, None)
    return Foreseen(quantity=quantity, ref=ref, now=now, then=then, low=low, high=high, words=words)


def course(words: str, verb: Verb | None, errors: float, backlog: float, usd: float, room: float | None) -> Course:
    why = "" if room is not None else "no limit of claude is known"
    return Course(
        words=words,
        verb=verb,
        target=AZURE if verb else None,
        foreseen=(
            foreseen(Quantity.BACKLOG, JOBS, 12_400, backlog, spread=0.2),
            foreseen(Quantity.ERRORS, CHAT, 0.11, errors),
            foreseen(Quantity.USD_PER_H, CHAT, 24.1, usd, spread=0.04),
            foreseen(Quantity.HEADROOM, OPENAI, 0.7, room, words=why),
        ),
    )


FORECAST = Forecast(
    at=NOW,
    courses=(
        course("trip azure-b", Verb.TRIP, 0.004, 3_100, 26.2, 0.18),
        course("do nothing", None, 0.12, 45_000, 24.4, 0.68),
        course("switch chat", Verb.SWITCH, 0.005, 9_800, 41.0, None),
        course("weight 0.1", Verb.WEIGHT, 0.02, 30_000, 25.0, 0.5),
    ),
    words="of 12 trips the median was 6 % off",
)


def proposal(run_id: str = "r-12", *, typed: bool = False) -> Proposal:
    checks = [
        Check("access", CheckResult.PASS, "bo may operate until 08:20"),
        Check("headroom", CheckResult.WARN, "openai-a can carry 1.1 × the shifted demand; 1.3 × is wanted"),
    ]
    checks += [Check("name", CheckResult.TYPE_NAME, "it carries a third of chat: type its name")] if typed else []
    return Proposal(
        id="act-31",
        intent=Intent(
            target=AZURE,
            action=Trip(),
            reason="Provider brownout: trip",
            ttl_s=1800,
            via="runbook",
            key=f"{run_id}/t/1",
        ),
        operator="bo",
        plan=world.plan("azure-b"),
        effects=(
            Effect(label="azure-b requests", before=126.0, after=0.0, unit="req/min"),
            Effect(label="openai-a requests", before=252.0, after=336.0, unit="req/min"),
            Effect(label="cost", before=0.0, after=1.32, unit="$/h", words="list price a request × requests"),
        ),
        verdict=Verdict(tuple(checks)),
        created_at=NOW,
        valid_until=NOW + 120,
        forecast=FORECAST,
    )


DOCS = """Keep requests away from the deployment **for half an hour**. What it had goes to its siblings:

- look at their headroom in the forecast first
- the trip ends by itself; `u` ends it earlier
"""


def steps() -> tuple[RunStep, ...]:
    """All of them, the third one is next."""
    return (
        RunStep(
            id="slow",
            kind=StepKind.CHECK,
            title="Is azure-b slow, and alone?",
            state=StepState.SUCCEEDED,
            since=NOW - 60,
            words="p95 is 6.8 times that of its siblings",
            conditions=(condition("check", "p95(deployment) > 3.0 * p95(route)", True, ("p95(azure-b)", "8.5 s")),),
            evidence=1,
        ),
        RunStep(
            id="lasting",
            kind=StepKind.WAIT,
            title="Does it last two minutes?",
            state=StepState.SUCCEEDED,
            since=NOW - 20,
            words="it held for 2 min",
        ),
        RunStep(
            id="trip",
            kind=StepKind.ACTION,
            title="Trip azure-b",
            docs=DOCS,
            conditions=(
                condition("success", "error_ratio(route) < 0.01", None, words="chat: the last look was 40 s ago"),
                condition("failure", "headroom(provider) < 0.05", False, ("headroom(openai)", "70%")),
            ),
            target=AZURE,
            verb=Verb.TRIP,
            evidence=1,
        ),
        RunStep(id="drain", kind=StepKind.WAIT, title="Wait until documents has drained"),
        RunStep(id="ask", kind=StepKind.MANUAL, title="Tell the provider", docs="Open a ticket at **azure**."),
        RunStep(id="ramp", kind=StepKind.RAMP, title="Give azure-b its share back in stages", target=CHAT),
        RunStep(id="reset", kind=StepKind.ACTION, title="Reset azure-b", target=AZURE, verb=Verb.RESET),
    )


def run(
    state: RunState = RunState.AWAITING, *, current: str = "trip", holder: tuple[str, int] = ME, **fields: object
) -> Run:
    known: dict[str, object] = {
        "title": "Provider brownout",
        "started_at": NOW - 90,
        "updated_at": NOW,
        "parameters": {"deployment": "azure-b", "route": "chat", "queue": "documents"},
        "preconditions": (
            condition("precondition", "data_age('gateway') < 30", True, ("data_age(gateway)", "2 s")),
            condition("precondition", "size(deployments(route)) > 1", True, ("deployments(chat)", "3")),
        ),
        "steps": steps(),
        "started_by": "ana",
    }
    return Run(
        id="r-12",
        runbook="brownout",
        hash="00" * 32,
        holder=holder[0],
        uid=holder[1],
        state=state,
        current=current,
        **{**known, **fields},  # type: ignore[arg-type]
    )


def with_step(whole: Run, step_id: str, **fields: object) -> Run:
    """The run with one step as it was a little later."""
    found = tuple(replace(step, **fields) if step.id == step_id else step for step in whole.steps)
    return replace(whole, steps=found)


def awaiting(**fields: object) -> Run:
    """It is this operator's turn: a yes to the trip."""
    made = proposal()
    return with_step(
        run(**fields),  # type: ignore[arg-type]
        "trip",
        state=StepState.AWAITING_CONFIRM,
        since=NOW - 5,
        attempt=1,
        proposal_id=made.id,
        proposal=made,
        effects=made.effects,
        verdict=made.verdict,
    )


def tripped() -> Run:
    """The trip is done, and the queue drains."""
    done = with_step(
        run(RunState.RUNNING, current="drain"),
        "trip",
        state=StepState.SUCCEEDED,
        since=NOW,
        action_id="act-31",
        by="bo",
    )
    return with_step(
        done,
        "drain",
        state=StepState.RUNNING,
        since=NOW,
        words="looks every 5 s",
        part=0.4,
        ends_at=NOW + 540,
        conditions=(condition("until", "depth(queue) < 100", False, ("depth(documents)", "7440")),),
    )


def ramping(state: RunState = RunState.RUNNING) -> Run:
    """The second stage of five is held."""
    stage = RampStage(
        route=CHAT,
        target=AZURE,
        began_at=NOW - 300,
        errors=2,
        others_requests=2_400,
        others_errors=7,
        index=1,
        shares=(1, 5, 25, 50, 100),
        since=NOW - 120,
        requests=212,
        wanted_s=180,
        wanted_requests=300,
        saved={"azure-b": 1.0, "openai-a": 1.0},
        words="errors 0.9% (0.2–2.6%) against 0.3% (0.1–0.8%): nothing speaks against it yet",
    )
    there = replace(tripped(), current="ramp", state=state)
    for step in ("drain", "ask"):
        there = with_step(there, step, state=StepState.SUCCEEDED, since=NOW - 130, words="")
    return with_step(there, "ramp", state=StepState.RUNNING, since=NOW - 300, ramp=stage, evidence=2)


def paused() -> Run:
    """The trip was refused by the backend."""
    words = "trip failed: gateway-2 answered 403 twice"
    whole = with_step(run(RunState.PAUSED, words=words), "trip", state=StepState.FAILED, since=NOW, words=words)
    return with_step(whole, "trip", attempt=1, evidence=2)


def manual() -> Run:
    """A person has something to do elsewhere."""
    there = replace(tripped(), current="ask", state=RunState.AWAITING)
    there = with_step(there, "drain", state=StepState.SUCCEEDED, since=NOW - 3, words="")
    return with_step(
        there, "ask", state=StepState.AWAITING_CONFIRM, since=NOW, words="open a ticket at azure, severity A"
    )


BOOKS = (
    RunbookInfo(id="agent-loop", title="Agent loop", summary="Stops an agent that calls itself.", steps=steps()[:2]),
    RunbookInfo(
        id="brownout",
        title="Provider brownout",
        summary="Takes a slow deployment out of its routes, lets queues drain, and brings it back in stages.",
        parameters=(
            Parameter(name="deployment", type="deployment", choices=("openai-a", "azure-b", "claude")),
            Parameter(
                name="queue", type="queue", docs="what has piled up meanwhile", choices=("documents",), required=False
            ),
            Parameter(name="patience", type="duration", default="10m"),
        ),
        steps=steps(),
        matches=("latency", "burn-rate/*"),
    ),
    RunbookInfo(
        id="own", title="Our own", path="runbooks/own.yaml", faults=("runbooks/own.yaml:7: no such function: p59",)
    ),
)
OFFER = Offer(
    runbook="brownout",
    title="Provider brownout",
    incident=drifting.INCIDENTS[0].id,
    parameters={"deployment": "azure-b"},
    words="azure-b alone answers worse, and its siblings can carry its requests",
    ready=True,
)
EVIDENCE = (
    Evidence(
        run="r-12",
        step="trip",
        at=NOW - 6,
        when="before",
        readings=tuple(one for one in world.trouble() if one.ref in (AZURE, CHAT)),
        alerts=("burn-rate/chat: 11% of chat fails",),
        traces=drifting.EXAMPLES[:1],
        conditions=(condition("success", "error_ratio(route) < 0.01", False, ("error_ratio(chat)", "11%")),),
    ),
)


def receipt() -> Receipt:
    """The trip, a quarter of an hour later."""
    return Receipt(
        id="act-31",
        intent=proposal().intent,
        operator="bo",
        stage=Stage.DONE,
        outcome=Outcome.VERIFIED,
        started_at=NOW - 900,
        updated_at=NOW,
        words="seen on 2/2 replicas in 0.4 s",
        forecast=FORECAST.courses[0],
        outturn=Comparison(
            due_at=NOW,
            compared_at=NOW,
            rows=(
                Outturn(quantity=Quantity.BACKLOG, ref=JOBS, expected=3_100, actual=2_800, error=0.1),
                Outturn(quantity=Quantity.ERRORS, ref=CHAT, expected=0.004, actual=0.006, error=0.5),
            ),
            words="errors came a little higher than forecast",
        ),
    )


class RunbookEngine(DriftingEngine):
    """The drifting afternoon with runbooks; what is ordered changes the run as the real one would."""

    def __init__(self, *runs: Run, operating: bool = True, offers: tuple[Offer, ...] = (OFFER,)) -> None:
        super().__init__(operating=operating)
        self.books = BOOKS
        self.offers = offers
        self.kept = EVIDENCE
        self.reluctant = ""
        """Why the next run is not begun."""
        self.followed = {one.id: one for one in runs}
        self.world: list[AnyReading] = [*drifting.readings(), queue("documents", 12_400)]

    def snapshot(self) -> Snapshot:
        return replace(super().snapshot(), runs=tuple(self.followed.values()), offers=self.offers)

    def tell(self, whole: Run) -> Run:
        """Send how a run stands."""
        self.followed[whole.id] = whole
        self.change(runs=(whole,))
        return whole

    async def start_run(self, start: StartRun) -> Run:
        if self.reluctant:
            words, self.reluctant = self.reluctant, ""
            raise Refusal(words)
        self.started.append(start)
        return self.tell(awaiting(dry=start.dry))

    async def order_run(self, command: RunCommand) -> Run:
        self.ordered.append(command)
        whole = self.followed[command.run]
        match command.order:
            case RunOrder.CONFIRM:
                return self.tell(tripped())
            case RunOrder.TAKE:
                return self.tell(replace(whole, holder=ME[0], uid=ME[1]))
            case RunOrder.PAUSE:
                return self.tell(replace(whole, state=RunState.PAUSED, words="paused by bo"))
            case RunOrder.RESUME:
                return self.tell(replace(whole, state=RunState.RUNNING, words=""))
            case RunOrder.ABORT:
                return self.tell(
                    replace(whole, state=RunState.ABORTED, current="", ended_at=NOW, words="aborted by bo")
                )
            case _:
                return self.tell(tripped())
