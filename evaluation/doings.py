"""What is done in an incident to see what comes of it: what its file calls right or a trap, and the same everywhere."""

from collections.abc import Iterator
from typing import Final

from adapters.simulator.scenario import Act, Scenario
from console.domain.refs import Kind, Ref
from console.domain.verbs import Action, Isolate, Park, Pause, Resume, SetWeight, Switch, Trip, Verb
from console.forecast.outlook import Doing

EVERYWHERE: Final = (
    Act(words="trip chat-azure", verb=Verb.TRIP, target="deployment/chat-azure"),
    Act(words="pause chat-jobs", verb=Verb.PAUSE, target="queue/chat-jobs"),
    Act(words="park document-index", verb=Verb.PARK, target="queue/document-index"),
)
"""What is done in every incident beside what its file calls right or a trap."""
HELD_UP: Final = Act(words="pause chat-jobs", verb=Verb.PAUSE, target="queue/chat-jobs")
"""What makes a backlog where the incident makes none."""
LET_GO: Final = Act(words="resume chat-jobs", verb=Verb.RESUME, target="queue/chat-jobs")
"""What ends that, and is forecast too."""
WITH_A_BACKLOG: Final = (
    Act(words="park chat-jobs", verb=Verb.PARK, target="queue/chat-jobs"),
    Act(words="isolate the retries of chat-jobs", verb=Verb.ISOLATE, target="queue/chat-jobs"),
    Act(words="trip chat-azure", verb=Verb.TRIP, target="deployment/chat-azure"),
    Act(words="trip chat-openai", verb=Verb.TRIP, target="deployment/chat-openai"),
    Act(words="take all weight from chat-azure", verb=Verb.WEIGHT, target="deployment/chat-azure"),
    Act(words="switch chat to chat-lite", verb=Verb.SWITCH, target="route/chat", to="chat-lite"),
)
"""What is done while the backlog is worked off."""
ACTIONS: Final[dict[Verb, Action]] = {
    Verb.TRIP: Trip(), Verb.WEIGHT: SetWeight(0.0), Verb.PAUSE: Pause(), Verb.RESUME: Resume(), Verb.PARK: Park(),
    Verb.ISOLATE: Isolate(),
}  # fmt: skip

Role = tuple[str, Doing]
"""Why something is done (`nothing`: it is not, and its neighbourhood is what is forecast), and what."""


def doing_of(act: Act) -> Doing | None:
    """The console's action for a scenario's words; None where it has none."""
    if act.verb is None or not act.target or (act.verb not in ACTIONS and act.verb is not Verb.SWITCH):
        return None
    kind, _, name = act.target.partition("/")
    target = Ref("jobs" if kind == Kind.QUEUE else "gateway", Kind(kind), name)
    return Doing(target=target, action=Switch(act.to) if act.verb is Verb.SWITCH else ACTIONS[act.verb])


def roles(scenario: Scenario) -> Iterator[Role]:
    """What is done at some moment of an incident, each in a branch of its own."""
    told = [("right", act) for act in scenario.right_actions] + [("trap", act) for act in scenario.traps]
    yield from _with_nothing([*told, *(("other", act) for act in EVERYWHERE)])


def with_a_backlog() -> Iterator[Role]:
    """What is done while a backlog is worked off."""
    yield from _with_nothing([("backlog", act) for act in WITH_A_BACKLOG])


def _with_nothing(told: list[tuple[str, Act]]) -> Iterator[Role]:
    acts = [(role, doing) for role, act in told if (doing := doing_of(act))]
    for target in dict.fromkeys(doing.target for _, doing in acts):
        yield "nothing", next(doing for _, doing in acts if doing.target == target)
    yield from acts
