"""Whether following a runbook was worth it: sooner well than with nobody, and no harm where nothing is wrong."""

from typing import Any, Final

import msgspec

from console.domain.games import Harm
from console.domain.runbooks import Run
from console.runtime.proving.measure import SPARED, Yard, borne, recovered_s, yard
from console.runtime.proving.operator import Note
from console.runtime.proving.trial import BEGIN, Told

NO_HARM: Final = 1.1
"""On a day on which nothing is wrong: so many times the bad requests of doing nothing …"""
NO_HARM_JOBS: Final = 1.0
"""… and so many hours of waiting more, for all jobs together."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What one trial showed. Seconds count from the onset."""

    scenario: str
    seed: int
    control: bool
    runbook: str
    """The one that was followed first; empty when none was."""
    offered: tuple[str, ...]
    told_s: float | None
    """Until the first incident was told."""
    begun_s: float | None
    """Until the first run began."""
    runs: tuple[Run, ...] = ()
    notes: tuple[Note, ...] = ()
    yard: Yard
    """By what it is judged."""
    recovered_s: float | None
    """Until it was as on a calm day, for good; None: not in the time that was watched."""
    nothing_s: float | None
    """The same with nobody acting."""
    harm: Harm
    nothing: Harm
    calm: Harm
    watched_s: float
    faults: tuple[str, ...] = ()
    """Manual steps that nobody can do."""
    holds: bool
    words: str
    """Why, in a line."""


def proof(told: Told) -> Proof:
    """What a trial showed."""
    onset = told.onset_minute
    by = yard(told.nothing, told.calm, onset)
    recovered = recovered_s(told.followed, told.nothing, told.calm, onset)
    nothing_s = recovered_s(told.nothing, told.nothing, told.calm, onset)
    harm, nothing = told.followed.since(onset), told.nothing.since(onset)
    control = told.scenario.kind == "control"
    operator = told.operator
    followed = [run.runbook for run in operator.runs]
    begun = next((note.at for note in told.notes if note.words.startswith("begins ")), None)
    if begun is not None and not followed:
        followed = [next(note.words for note in told.notes if note.words.startswith("begins ")).removeprefix("begins ")]
    if control:
        holds, words = _harmless(harm, nothing, followed)
    else:
        here, alone = (borne(one, told.nothing, told.calm, onset) for one in (told.followed, told.nothing))
        holds, words = _sooner(followed, recovered, nothing_s, here < alone)
    if operator.faults:
        holds, words = False, "; ".join(operator.faults)
    return Proof(
        scenario=told.scenario.name,
        seed=told.case.seed,
        control=control,
        runbook=followed[0] if followed else "",
        offered=tuple(operator.offered),
        told_s=None if told.told_at is None else told.told_at - told.onset,
        begun_s=None if begun is None else begun - told.onset,
        runs=tuple(operator.runs),
        notes=told.notes,
        yard=by,
        recovered_s=recovered,
        nothing_s=nothing_s,
        harm=harm,
        nothing=nothing,
        calm=told.calm.since(onset),
        watched_s=told.end - told.onset,
        faults=tuple(operator.faults),
        holds=holds,
        words=words,
    )


def _sooner(followed: list[str], recovered: float | None, nothing: float | None, less: bool) -> tuple[bool, str]:
    if not followed:
        return False, "no runbook was offered that could be followed"
    if recovered is None:
        return False, f"{followed[0]} was followed, and it was not over in the time watched"
    after = f"over after {recovered / 60:.0f} min"
    if nothing is not None and recovered >= nothing:
        return False, f"{after}, and with nobody acting after {nothing / 60:.0f} min"
    if not less:
        return False, f"{after}, at more harm than doing nothing"
    alone = "not in the time watched" if nothing is None else f"after {nothing / 60:.0f} min"
    return True, f"{after}; with nobody acting {alone}"


def _harmless(harm: Harm, nothing: Harm, followed: list[str]) -> tuple[bool, str]:
    if not followed:
        return True, "nothing is wrong, and nothing was offered"
    worse = harm.requests > NO_HARM * nothing.requests + 10 * SPARED
    if worse or harm.job_hours > nothing.job_hours + NO_HARM_JOBS:
        return False, f"{followed[0]} was followed on a day on which nothing is wrong, and did harm"
    return True, f"{followed[0]} was followed, and did no harm"


def lines(found: Proof) -> list[str]:
    """The proof for a person."""
    onset = found.begun_s
    said = [f"{found.scenario}, seed {found.seed}: {'HOLDS' if found.holds else 'DOES NOT HOLD'}: {found.words}"]
    said += [f"  {(note.at - BEGIN) / 60:6.1f} min  {note.words}" for note in found.notes]
    for run in found.runs:
        for step in run.steps:
            said += [f"            {step.id}: {one.role} {one.text} → {_truth(one.holds)}" for one in step.conditions]
    said.append(f"  told after {_minutes(found.told_s)}, begun after {_minutes(onset)}")
    for name, harm, after in (("followed", found.harm, found.recovered_s), ("nobody", found.nothing, found.nothing_s)):
        said.append(
            f"  {name:9} over after {_minutes(after)}: {harm.failed:,.0f} failed, {harm.wrong:,.0f} wrong, "
            f"{harm.slow:,.0f} slow, {harm.job_hours:,.1f} h waited, ${harm.usd:,.2f}"
        )
    return said


def _truth(value: bool | None) -> str:
    return "cannot be said" if value is None else "holds" if value else "does not hold"


def _minutes(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds / 60:.0f} min"


def row(found: Proof) -> dict[str, Any]:
    """The proof in a line of JSON, without what was said step by step."""
    plain: dict[str, Any] = msgspec.to_builtins(found)
    for long in ("runs", "notes"):
        plain.pop(long)
    return plain | {"states": [str(run.state) for run in found.runs]}
