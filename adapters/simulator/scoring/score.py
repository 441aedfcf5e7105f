"""The score of a game: how long it took to see it, to do the right thing, to recover, and what wrong actions cost."""

from collections.abc import Iterable
from typing import Final

from adapters.simulator.scenario import Act, Scenario, load_scenario
from adapters.simulator.scoring.run import NOBODY, Run, can_be_done, following, knowing, onset_of, play
from adapters.simulator.scoring.tape import Deed as Done
from adapters.simulator.scoring.tape import Tape, read
from console.domain.actions import Intent
from console.domain.games import Deed, Harm, Played, Score
from console.domain.text import clean
from console.domain.verbs import SetWeight, Switch
from console.domain.wire import LogKind

REFERENCE_S: Final = 300.0
"""The reference acts so long after the onset, in the incident's own time."""
MOST_WRONG: Final = 4
"""Actions that did not help, of which it is found out what each of them cost."""
NOTHING_TO_SPARE: Final = 10.0
"""Fewer bad requests than this between doing nothing and the reference are no measure."""
_BY_HAND: Final = ("key", "palette", "cli", "runbook")
"""`Intent.via` of what an operator does; the engine's own expiries and probes are none of his deeds."""


async def score(played: Played) -> Score:
    """Play the game again: as it was played, without anybody, and as one who knows would have played it."""
    scenario = load_scenario(played.game.scenario)
    onset_at = onset_of(scenario, played)
    tape = read(played.rows)
    mine = await play(played, onset_at, following(tape))
    nothing = await play(played, onset_at, NOBODY) if tape.taken else mine
    reference = await _reference(scenario, played, onset_at, nothing)
    deeds = [item for item in tape.deeds if item.intent.via in _BY_HAND]
    right = [item.at - onset_at for item in deeds if _is_one_of(item.intent, scenario.right_actions)]
    noticed = [item.at for item in deeds if item.at >= onset_at] + _acknowledged(played, onset_at)
    return Score(
        game=played.game,
        summary=scenario.summary,
        culprit=scenario.culprit,
        answer=tuple(act.words for act in scenario.right_actions),
        traps=tuple(act.words for act in scenario.traps),
        onset_at=onset_at,
        lasted_s=max(0.0, played.ended_at - onset_at),
        told_s=_told(played, onset_at),
        noticed_s=min(noticed) - onset_at if noticed else None,
        right_s=min((at for at in right if at >= 0.0), default=None),
        recovered_s=mine.recovered_s,
        deeds=tuple([await _deed(item, scenario, played, tape, mine, onset_at) for item in deeds[:20]]),
        harm=mine.harm,
        nothing=nothing.harm,
        reference=reference.harm if reference is not None else None,
        reference_recovered_s=reference.recovered_s if reference is not None else None,
        saved=_saved(mine.harm, nothing.harm, reference.harm if reference is not None else None),
    )


async def _reference(scenario: Scenario, played: Played, onset_at: float, nothing: Run) -> Run | None:
    if scenario.kind == "control":
        return nothing
    able = next((act for act in scenario.right_actions if can_be_done(act)), None)
    if able is None:
        return None
    return await play(played, onset_at, knowing(able, onset_at + REFERENCE_S / played.game.speed))


def _saved(mine: Harm, nothing: Harm, reference: Harm | None) -> float | None:
    if reference is None or nothing.requests - reference.requests < NOTHING_TO_SPARE:
        return None
    return (nothing.requests - mine.requests) / (nothing.requests - reference.requests)


def _told(played: Played, onset_at: float) -> float | None:
    """When the console first raised an alert after the onset."""
    raised = (
        line.at for line in played.log if line.kind is LogKind.ALERT and line.at >= onset_at and not line.operator
    )
    return min((at - onset_at for at in raised), default=None)


def _acknowledged(played: Played, onset_at: float) -> list[float]:
    """When the operator said that he has seen an alert."""
    return [line.at for line in played.log if line.kind is LogKind.ALERT and line.operator and line.at >= onset_at]


async def _deed(item: Done, scenario: Scenario, played: Played, tape: Tape, mine: Run, onset_at: float) -> Deed:
    right = _is_one_of(item.intent, scenario.right_actions)
    by_hand = (one for one in tape.deeds if one.intent.via in _BY_HAND)
    wrong = [one for one in by_hand if not _is_one_of(one.intent, scenario.right_actions)][:MOST_WRONG]
    cost: float | None = None
    if not right and item in wrong:
        without = await play(played, onset_at, following(tape.without(item.action_id)))
        cost = mine.harm.requests - without.harm.requests
    words = f"{item.intent.action.verb} {clean(item.intent.target.name, 60)}"
    if isinstance(item.intent.action, Switch):
        words += f" to {clean(item.intent.action.to, 60)}"
    trap = _is_one_of(item.intent, scenario.traps)
    return Deed(after_s=item.at - onset_at, words=words, right=right, trap=trap, cost=cost)


def _is_one_of(intent: Intent, acts: Iterable[Act]) -> bool:
    """Whether an action is one of those that a scenario names."""
    return any(_is(intent, act) for act in acts)


def _is(intent: Intent, act: Act) -> bool:
    action = intent.action
    if act.verb is not action.verb or act.target != f"{intent.target.kind}/{intent.target.name}":
        return False
    if isinstance(action, Switch):
        return not act.to or act.to == action.to
    return not isinstance(action, SetWeight) or action.weight == 0.0
