"""Everything gets through and the answers are wrong: the calm afternoon with an incident of answers and one of cost."""

from console.domain.alerts import Alert, AlertState, Aspect, Severity
from console.domain.analysis import (
    Analysis,
    CostStep,
    CostWaterfall,
    DetectorState,
    Recovery,
    RetryLayer,
    RetryXray,
    Verdict,
    Without,
)
from console.domain.freshness import Freshness
from console.domain.incidents import Advice, Blame, Dimension, Incident
from console.domain.readings import AnyReading, Service, Source, Traffic
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.domain.wire import Snapshot
from tests.ui import world
from tests.ui.stage import StillEngine

NOW = world.NOW
AZURE = world.ref(Kind.DEPLOYMENT, "azure-b")
CHAT = world.ref(Kind.ROUTE, "chat")
EXAMPLES = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7a3ce929d0e0e4736")


def readings() -> list[AnyReading]:
    """The calm afternoon, and a trace store that has seen one application."""
    store = Source(
        ref=Ref("traces", Kind.SOURCE, "traces"),
        observed_at=NOW,
        adapter="otlp",
        freshness=Freshness.FRESH,
        interval_s=2.0,
        last_ok_at=NOW,
        since=NOW - 900,
    )
    service = Service(
        ref=Ref("traces", Kind.SERVICE, "support-bot"),
        observed_at=NOW,
        traffic=Traffic(window_s=60, requests_per_min=380, errors_per_min=0.4),
    )
    return [*world.calm(), store, service]


def _alert(rule: str, ref: Ref, since: float, aspect: Aspect, words: str, **more: object) -> Alert:
    return Alert(
        rule=rule,
        ref=ref,
        severity=Severity.PAGE if aspect is Aspect.ANSWERS else Severity.TICKET,
        state=AlertState.FIRING,
        since=since,
        words=words,
        aspect=aspect,
        **more,  # type: ignore[arg-type]
    )


ALERTS = (
    _alert(
        "unparsed",
        AZURE,
        NOW - 840,
        Aspect.ANSWERS,
        "7.9 % of 1,240 structured answers of azure-b do not parse; usual for 14:30 is 0.5 %; siblings are normal",
        examples=EXAMPLES,
    ),
    _alert(
        "output-shape",
        AZURE,
        NOW - 720,
        Aspect.ANSWERS,
        "8 % of azure-b's answers have a shape never seen before today",
    ),
    _alert("cost-burn", CHAT, NOW - 300, Aspect.COST, "chat costs 1.4× its usual for 14:30", acknowledged_by="ana"),
)

INCIDENTS = (
    Incident(
        id="unparsed@azure-b@1",
        since=NOW - 840,
        state=AlertState.FIRING,
        severity=Severity.PAGE,
        title="azure-b answers in another form since 07:46: 7.9 % of what should be JSON does not parse",
        aspects=(Aspect.ANSWERS,),
        blame=Blame(
            dimension=Dimension.DEPLOYMENT,
            name="azure-b",
            ref=AZURE,
            score=0.91,
            because="all 98 answers that do not parse came from azure-b; openai-a answers the same route as ever",
            against="only one tenant sends most of them (team-search, 61 %)",
        ),
        others=(
            Blame(
                dimension=Dimension.RELEASE,
                name="prompt answer@12",
                score=0.22,
                because="it went live 40 minutes before",
                against="openai-a gets the same prompt and parses",
            ),
        ),
        alerts=(ALERTS[0].id, ALERTS[1].id),
        advice=(
            Advice(words="Trip azure-b: openai-a and claude can carry its 126/min", target=AZURE, verb=Verb.TRIP),
            Advice(words="Switch chat to claude", target=CHAT, verb=Verb.SWITCH),
            Advice(words="Sending failed answers again: the next answer has the same form, and is paid for", trap=True),
        ),
        notes=("the provider's fingerprint changed at 07:44, two minutes before the first of them",),
    ),
    Incident(
        id="cost-burn@chat@2",
        since=NOW - 300,
        state=AlertState.FIRING,
        severity=Severity.TICKET,
        title="chat costs 1.4× its usual since 07:55",
        aspects=(Aspect.COST,),
        alerts=(ALERTS[2].id,),
        advice=(Advice(words="Look at who sends more", target=CHAT),),
    ),
)

ANALYSIS = Analysis(
    at=NOW,
    retries=(
        RetryXray(
            route=CHAT,
            layers=(
                RetryLayer(name="application", factor=1.0, per_min=420, usual=1.0),
                RetryLayer(name="gateway", factor=1.3, per_min=546, usual=1.01),
                RetryLayer(name="provider client", factor=1.05, per_min=573),
            ),
            amplification=1.37,
            worst="gateway",
        ),
    ),
    cost=CostWaterfall(
        usual_usd_per_h=17.4,
        now_usd_per_h=24.1,
        steps=(
            CostStep(name="volume", usd_per_h=1.2, words="7 % more requests"),
            CostStep(name="tokens per request", usd_per_h=5.4, words="31 % more tokens in"),
            CostStep(name="price mix", usd_per_h=0.1, words="claude answers 2 % more of them"),
        ),
        usual_of="the same half-hour of the days before",
    ),
    recovery=(
        Verdict(
            route=CHAT, recovery=Recovery.TRIGGERED, retry_part=0.3, words="retries are in proportion to what fails"
        ),
    ),
    without=(
        Without(
            provider=world.ref(Kind.PROVIDER, "azure"),
            demand_per_min=126,
            room_per_min=390,
            carries=True,
            words="126/min would go to openai-a and claude, which take 390/min more",
        ),
    ),
    unknown=("the usual tokens per request of embed: from 15:10 on",),
)

DETECTORS = (
    DetectorState(name="latency", summary="An answer takes longer than is usual for the hour.", watching=4),
    DetectorState(
        name="unparsed",
        summary="Answers that had to be of a form are not.",
        watching=3,
        learning=1,
        unknown=("claude: 210 of 500 structured answers seen",),
    ),
    DetectorState(name="retrieval", summary="Searches find nothing, or worse than usual.", unknown=("no search yet",)),
)


class DriftingEngine(StillEngine):
    """The afternoon with its incidents, and what the engine says of them."""

    def __init__(self, *, operating: bool = True) -> None:
        super().__init__(readings(), operating=operating)
        self.analysed = ANALYSIS

    def snapshot(self) -> Snapshot:
        return Snapshot(
            seq=1,
            at=NOW,
            environment="prod",
            readings=tuple(self.world),
            alerts=ALERTS,
            incidents=INCIDENTS,
        )

    async def detectors(self) -> tuple[DetectorState, ...]:
        return DETECTORS
